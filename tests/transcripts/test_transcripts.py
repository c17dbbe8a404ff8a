"""Every dialogue as it is really said, the same through both doors, in the words that union staff read and approve."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.session import Database
from handlers.registry import build_registry
from tests.databases import Template
from tests.people import make_world, spoken
from tests.transcripts.scenes import SCENES, Scene
from tests.transcripts.stage import telegram_stage, webchat_stage

HERE = Path(__file__).parent
STAGES = (telegram_stage, webchat_stage)


async def played(scene: Scene, folder: Path, handle: Database, template: Template) -> list[str]:
    """The transcript of a scene on each door, in worlds that are alike."""
    found = []
    for open_stage in STAGES:
        here = folder / open_stage.__name__
        here.mkdir()
        world = make_world(handle, template, here)
        async with open_stage(world, here) as stage:
            await scene.play(stage)
        await world.database.close()
        found.append(f"# {scene.title}\n\n" + "\n".join(stage.lines).rstrip() + "\n")
    return found


@pytest.mark.parametrize("name", SCENES)
async def test_both_doors_say_what_was_read_and_approved(
    name: str, tmp_path: Path, handle: Database, template: Template, request: pytest.FixtureRequest
) -> None:
    by_telegram, by_webchat = await played(SCENES[name], tmp_path, handle, template)
    assert by_telegram == by_webchat
    approved = HERE / f"{name}.md"
    if request.config.getoption("--update-transcripts"):
        approved.write_text(by_webchat, encoding="utf-8")
    assert by_webchat == approved.read_text(encoding="utf-8"), "pytest tests/transcripts --update-transcripts"


def test_every_dialogue_has_its_transcript_and_every_transcript_its_scene() -> None:
    words, _ = spoken()
    assert set(build_registry(words).dialogues) <= set(SCENES)
    assert {path.stem for path in HERE.glob("*.md")} == set(SCENES)
