"""How people are addressed: an officer in officers' screens as a comrade, everybody else as "anh/chị" (5-voice §5.1)."""

from __future__ import annotations

import pytest
import yaml
from sqlalchemy import select

from content.message import Choice, choices_to_json
from content.source import ROOT
from db import accounts
from db.models import Account, Conversation, Role
from handlers.dialogue import File, Kind
from handlers.registry import build_registry
from tests.people import TestPerson, World, spoken

DIALOGUES = build_registry(spoken()[0]).dialogues
SPEAK_TO_OFFICERS = {name for name, each in DIALOGUES.items() if any(step.officers for step in each.steps.values())}
TO_OFFICERS = (
    "common.you_officer", "mysubmissions.withdraw_notice", "mysubmissions.leader_notice", "profile.role_left",
    "contest.bad_settings",
)  # fmt: skip
"""What an officer is told by workers' dialogues."""


async def stands_at(person: TestPerson, dialogue: str, step: str) -> None:
    """Puts somebody before a question, however one gets there."""
    owner = await person.id()
    async with person.world.database.write() as session:
        found = await session.execute(select(Conversation).join(Account).where(Account.address == person.address))
        stands = found.scalar_one()
        stands.dialogue, stands.step, stands.draft_id = dialogue, step, None
        stands.screen_kind = DIALOGUES[dialogue].steps[step].kind.value
        stands.choices = choices_to_json([Choice("Một", "one"), Choice("Hai", "two")])
        if DIALOGUES[dialogue].keeps_draft:
            draft = await accounts.open_draft(session, owner, dialogue, step, person.world.now)
            stands.draft_id = draft.id


def one_of_each_sort(dialogue: str) -> list[str]:
    """One step of each sort that the engine answers differently."""
    steps = DIALOGUES[dialogue].steps
    return list({(s.kind, s.free, s.take is None, s.officers): name for name, s in steps.items()}.values())


@pytest.mark.parametrize("dialogue", sorted(DIALOGUES))
async def test_what_the_engine_says_by_itself_addresses_people_as_their_screen_does(
    world: World, dialogue: str
) -> None:
    person = await world.joined("Trần Thu Hà", unit="TINH", role=Role.UPPER_OFFICER)
    await person.says("menu")
    for name in one_of_each_sort(dialogue):
        step = DIALOGUES[dialogue].steps[name]
        ways = ["sticker", "voice", "edited", "x" * 5000, "bo qua", "/khongco"]
        ways += [] if step.kind == Kind.FILES else ["photo"]
        ways += [] if step.kind.typed or step.free else ["77", "xin chào cả nhà"]
        for way in ways:
            await stands_at(person, dialogue, name)
            person.heard.clear()
            if way in ("sticker", "voice", "photo"):
                await person.sends(File(way, "f", f"u-{way}", "", 10))
            elif way == "edited":
                await person.sends(text="sửa", place="edited")
            else:
                await person.says(way)
            assert person.heard and person.heard[0].key.startswith("common."), (dialogue, name, way, person.keys)
            wrong = "anh/chị" if step.officers else "đồng chí"
            assert wrong not in person.heard[0].text.lower(), (dialogue, name, way, person.heard[0].text)


@pytest.mark.parametrize("name", [*(each for each in DIALOGUES if (ROOT / "vi" / f"{each}.yaml").exists()), "common"])
def test_words_say_comrade_where_a_dialogue_speaks_to_officers_and_nowhere_else(name: str) -> None:
    """A question of officers that does not say it is one shows here, unless others of its dialogue do."""
    entries = yaml.safe_load((ROOT / "vi" / f"{name}.yaml").read_text(encoding="utf-8"))
    comrades = [key for key, said in entries.items() if "đồng chí" in str(said).lower()]
    assert bool({f"{name}.{key}" for key in comrades} - set(TO_OFFICERS)) == (name in SPEAK_TO_OFFICERS), comrades


async def test_words_that_workers_and_officers_share_address_each_as_their_screen_does(world: World) -> None:
    person = await world.joined("Trần Thu Hà", unit="TINH", role=Role.UPPER_OFFICER)
    await person.says("menu")
    for dialogue, step, you in (("units", "own_name", "Đồng chí"), ("profile", "name", "Anh/chị")):
        await stands_at(person, dialogue, step)
        assert (await person.says("Hà")).text == f"{you} ghi đủ họ và tên nhé."
