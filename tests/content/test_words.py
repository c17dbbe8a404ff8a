"""How words are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import meta

from content.source import ContentError
from content.text import fold
from content.words import FOLDER, Filled, Fixed, _environment, load_words


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


def test_each_text_needs_what_jinja_says_that_it_needs() -> None:
    environment, seen = _environment(), 0
    for entry in map(load_words({}, FOLDER).entry, load_words({}, FOLDER)):
        parts = [entry.text, entry.hint, *(part for o in entry.options for part in (o.label, o.command, o.arg))]
        for part in parts:
            if isinstance(part, Filled):
                seen += 1
                assert part.names == meta.find_undeclared_variables(environment.parse(part._source)), part._source
                environment.from_string(part._source)
    assert seen > 500


@pytest.mark.parametrize(
    "wrong", ["{{ name", "{{ name|shout }}", "{% if name %}Chào", "{{ name|default(other|shout) }}"]
)
def test_a_text_that_cannot_be_filled_in_is_told_at_start_though_it_is_compiled_when_it_is_first_said(
    tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "greeting.yaml").write_text(f'fine: "Chào"\nfilled: "{wrong}"\n')
    with pytest.raises(ContentError, match=r"greeting\.yaml:2: filled: "):
        load_words({}, tmp_path)


@pytest.mark.parametrize(
    ("label", "said"), [("cau tiep", "cau sau"), ("cau sau", "cau tiep"), ("lam tiep", "tiep tuc")]
)
def test_a_button_that_goes_on_answers_to_the_other_way_of_saying_so(label: str, said: str) -> None:
    words = load_words({"organisation": "", "hotline": "", "duty_line": ""})
    options = [(key, option) for key in words for option in words.entry(key).options]
    named = [
        (key, option) for key, option in options if not option.label.names and label in fold(option.label.render({}))
    ]
    assert named and [key for key, option in named if said not in option.words] == []
