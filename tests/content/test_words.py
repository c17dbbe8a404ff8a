"""How words are read."""

from __future__ import annotations

from pathlib import Path

from content.words import Fixed, load_words


def test_words_with_nothing_to_fill_in_are_said_as_they_stand_and_compiled_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "greeting.yaml").write_text(
        'plain: {text: "Chào <b>chị</b> & anh\\n", options: {go: "A < B"}}\nfilled: "Chào {{ name }}"\n'
    )
    words = load_words({}, tmp_path)
    message = words.message("greeting.plain")
    assert message.text == "Chào <b>chị</b> & anh" and message.choices[0].label == "A < B"
    assert isinstance(words.entry("greeting.plain").text, Fixed) and not words.entry("greeting.plain").names
    assert words.text("greeting.filled", name="<Lan>") == "Chào &lt;Lan&gt;"
    assert words.entry("greeting.filled").names == {"name"}
