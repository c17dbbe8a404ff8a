"""The real core under virtual time: crashes, faults and moved clocks by seed; invariants over what people got and what is kept.

`pytest tests/simulation --seed 7` replays a seed, `python -m tests.prove simulation` is the long form.
"""
