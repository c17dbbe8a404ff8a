"""The engine on a dialogue of its own with one screen of every kind, so that no product dialogue has to stand still for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, func, select

from content.message import Choice, Message
from content.words import Words
from db.errors import Conflict, NotFound, Refused
from db.models import Account, Conversation, Draft, OutboxRow, Person, UnitRequest
from handlers.dialogue import AGAIN, END, STAY, Again, Answer, Command, Dialogue, File, Incoming, Kind, Move, Place
from handlers.engine import answer
from handlers.registry import build_registry, by_name
from handlers.talk import Talk
from tests.handlers.test_walks import FORGED
from tests.people import FACTS, TestPerson, World, spoken

FRUIT = (
    Choice("🍎 Táo đỏ", "apple", words=("qua tao",)),
    Choice("🍐 Lê", "pear"),
    Choice("⏭ Bỏ qua", "skip"),
    Choice("Có", "yes"),
)


def probe() -> Dialogue:
    """choice → many → text → number → files → end; every answer is kept, "hỏng" is refused after much was written."""
    dialogue = Dialogue("probe", keeps_draft=True)

    def step(name: str, kind: Kind, after: str, choices: tuple[Choice, ...] = (), free: bool = False) -> None:
        @dialogue.ask(name, kind, free=free)
        async def ask(talk: Talk) -> Message:
            return Message(f"Hỏi {name}", choices, key=f"probe.{name}")

        @dialogue.take(name)
        async def take(talk: Talk, answer: Answer) -> Move | str:
            if answer.text in REFUSALS:
                await spoil(talk)
                raise REFUSALS[answer.text]
            if answer.files:
                talk.put(files=len(answer.files))
                talk.say("common.saved", slot=talk.conversation.quiet, after=1.5)
                return STAY
            if kind == Kind.MANY:
                chosen = set(talk.data.get(name, [])) ^ set(answer.many or [answer.choice])
                talk.put(**{name: sorted(chosen)})
                return after if answer.choice == "yes" else AGAIN
            talk.put(**{name: answer.choice or answer.text})
            return after or END

    step("choice", Kind.CHOICE, "many", FRUIT)
    step("many", Kind.MANY, "text", FRUIT)
    step("text", Kind.TEXT, "number", (Choice("Không có", "none"),))
    step("number", Kind.NUMBER, "files")
    step("files", Kind.FILES, "free", (Choice("✅ Xong", "done"),))
    step("free", Kind.CHOICE, "last", FRUIT, free=True)
    step("last", Kind.CHOICE, "", (Choice("Hết", "end"),))
    return dialogue


REFUSALS: dict[str, Exception] = {
    "làm lại": Again("common.choose"),
    "cấm": Refused("common.refused"),
    "mất": NotFound("common.not_found"),
    "muộn": Conflict("common.already"),
}


async def spoil(talk: Talk) -> None:
    """Writes everywhere a step can write."""
    talk.put(spoilt=True)
    talk.me.name = "Kẻ Phá"
    talk.conversation.pending = {"spoilt": True}
    talk.session.add(UnitRequest(person_id=talk.me.id, text="spoilt", created_at=talk.now))
    talk.say("common.saved")
    await talk.tell(talk.me.id, "common.saved")
    await talk.session.flush()


def with_probe(world: World) -> World:
    """The same house, in which /probe opens the dialogue and "probe" at a step by its button."""
    dialogue = probe()
    troubles = ["the disk was busy"]

    async def show(talk: Talk, arg: str) -> Move | None:
        if arg == "poison":
            raise RuntimeError("poison")
        if arg == "cancelled":
            raise asyncio.CancelledError
        if arg == "trouble" and troubles:
            raise RuntimeError(troubles.pop())
        return dialogue.go("choice" if arg == "trouble" else arg)

    registry = world.house.registry
    command = Command("probe", show, Place.NOWHERE, slash=True)
    words = world.house.words
    named = {key: words.entry(key) for key in words} | {"probe.draft_name": words.entry("report.draft_name")}
    world.house = replace(
        world.house,
        words=Words(named, FACTS),
        registry=replace(
            registry,
            dialogues=registry.dialogues | {"probe": dialogue},
            commands=registry.commands | {"probe": command},
            slashes=registry.slashes | {"probe"},
        ),
    )
    return world


async def never(*_: object) -> Move:
    raise AssertionError


@pytest.mark.parametrize("way", ["ask", "question", "take", "take what is not asked"])
def test_a_step_that_is_registered_twice_is_refused_when_it_is_imported(way: str) -> None:
    dialogue = probe()
    before = dict(dialogue.steps)
    register = {
        "ask": lambda: dialogue.ask("many")(never),
        "question": lambda: dialogue.question("many", "common.choose")(never),
        "take": lambda: dialogue.take("many")(never),
        "take what is not asked": lambda: dialogue.take("nowhere")(never),
    }[way]
    with pytest.raises(ValueError, match=r"^probe .*(many|nowhere)"):
        register()
    assert dialogue.steps == before


def test_a_dialogue_or_a_command_that_is_there_twice_is_refused_at_the_start() -> None:
    one, other = probe(), probe()
    with pytest.raises(ValueError, match="there twice: probe"):
        by_name([one, other])
    with pytest.raises(ValueError, match="there twice: menu"):
        by_name([Command("menu", never), Command("hoso", never), Command("menu", never)])
    assert by_name([one]) == {"probe": one}


@pytest.fixture
async def hoa(world: World) -> TestPerson:
    return await with_probe(world).joined("Bùi Thị Hoa")


async def stands(person: TestPerson) -> tuple[Conversation, dict[str, Any]]:
    """The conversation as it is stored, and its answers so far."""
    async with person.world.database.read() as session:
        query = select(Conversation, Draft).join(Account).outerjoin(Draft, Draft.id == Conversation.draft_id)
        conversation, draft = (await session.execute(query.where(Account.address == person.address))).one()
    return conversation, draft.data if draft is not None else {}


async def quiet(person: TestPerson) -> None:
    """What was said with a delay arrives."""
    person.world.later(seconds=4)
    await person.world.deliver()


# ---------------------------------------------------------------------------------------------------- meaning


@pytest.mark.parametrize(
    "typed", ["2", "2.", "b", "B", "chọn b", "Lê", "le", "LÊ", "  lê ", "🍐 Lê", "lee", "hai", "câu 2"]
)
async def test_an_option_is_chosen_by_anything_that_names_it(hoa: TestPerson, typed: str) -> None:
    await hoa.says("/probe choice")
    await hoa.says(typed)
    assert (await stands(hoa))[1] == {"choice": "pear"} and hoa.last.key == "probe.many"


@pytest.mark.parametrize(
    ("typed", "chosen"), [("quả táo", "apple"), ("ok", "yes"), ("bo  qua", "skip"), ("boqua", None)]
)
async def test_keywords_yes_and_skip_choose_too_and_nothing_is_guessed(
    hoa: TestPerson, typed: str, chosen: str | None
) -> None:
    await hoa.says("/probe choice")
    await hoa.says(typed)
    assert (await stands(hoa))[1].get("choice") == chosen
    assert (hoa.last.key == "common.choose") is (chosen is None)


@pytest.mark.parametrize("typed", ["1,3", "3 1", "1 và 3", "một, ba"])
async def test_several_options_are_taken_from_one_message(hoa: TestPerson, typed: str) -> None:
    await hoa.says("/probe many")
    await hoa.says(typed)
    assert (await stands(hoa))[1]["many"] == ["apple", "skip"]
    await hoa.says("2")
    assert (await stands(hoa))[1]["many"] == ["apple", "pear", "skip"]


async def test_a_press_on_a_screen_of_several_changes_it_in_place(hoa: TestPerson) -> None:
    await hoa.says("/probe many")
    before = len(hoa.heard)
    await hoa.taps("Lê")
    await hoa.taps("Táo đỏ")
    assert len(hoa.heard) == before and (await stands(hoa))[1]["many"] == ["apple", "pear"]


async def test_what_is_sent_is_answered_below_it_and_never_by_a_change_further_up(hoa: TestPerson) -> None:
    await hoa.says("/probe files")
    before = len(hoa.heard)
    for _ in range(2):
        await hoa.sends_photo()
        hoa.world.later(seconds=2)
        await hoa.world.deliver()
    assert hoa.keys[before:] == ["common.saved", "common.saved"]


async def test_a_press_is_answered_below_when_something_was_said_since_and_then_in_place_again(hoa: TestPerson) -> None:
    await hoa.says("/probe many")
    await hoa.says("gì cơ")
    before = len(hoa.heard)
    assert hoa.last.key == "common.choose"
    await hoa.taps("Lê")
    assert hoa.keys[before:] == ["probe.many"]
    await hoa.taps("Táo đỏ")
    assert hoa.keys[before:] == ["probe.many"] and (await stands(hoa))[1]["many"] == ["apple", "pear"]


@pytest.mark.parametrize("step", ["text", "number", "files"])
@pytest.mark.parametrize("typed", ["0", "9", "1", "b", "hai", "12", "sang kien", "/5 phút"])
async def test_where_words_are_asked_for_digits_and_commands_inside_are_the_answer(
    hoa: TestPerson, step: str, typed: str
) -> None:
    await hoa.says(f"/probe {step}")
    await hoa.says(typed)
    assert (await stands(hoa))[1] == {step: typed}


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("menu", "menu.home"), ("MENU", "menu.home"), ("về menu", "menu.home"), ("giúp", "menu.help"), ("giups", "menu.help"),
        ("?", "menu.help"), ("bỏ qua", "common.cannot_skip"), ("hủy", "common.cancel"), ("/huy", "common.cancel"), ("huyr", "common.cancel"),
        ("/huy@tro_ly_bot", "common.cancel"), ("/khongco", "common.unknown"),
    ],
)  # fmt: skip
async def test_whole_words_mean_the_same_everywhere(hoa: TestPerson, typed: str, key: str) -> None:
    await hoa.says("/probe text")
    await hoa.says("một câu có menu và hủy ở trong")
    assert hoa.last.key == "probe.number"
    await hoa.says("/probe text")
    await hoa.says(typed)
    assert key in hoa.keys[-2:]
    async with hoa.world.database.read() as session:
        assert (await session.execute(select(Draft.data))).scalar_one() == {"text": "một câu có menu và hủy ở trong"}


@pytest.mark.parametrize(("typed", "key"), [("0", "menu.home"), ("9", "probe.choice"), ("lùi", "probe.choice")])
async def test_zero_and_nine_are_menu_and_back_where_no_number_is_asked_for(
    hoa: TestPerson, typed: str, key: str
) -> None:
    await hoa.says("/probe choice")
    await hoa.taps("Lê")
    await hoa.says(typed)
    assert key in hoa.keys[-2:]


async def test_b_alone_is_option_b_and_never_back(hoa: TestPerson) -> None:
    await hoa.says("/probe choice")
    await hoa.says("a")
    await hoa.says("b")
    assert (await stands(hoa))[1] == {"choice": "apple", "many": ["pear"]}


async def test_free_words_reach_a_step_that_wants_them_unless_they_open_something(hoa: TestPerson) -> None:
    await hoa.says("/probe free")
    await hoa.says("ôn luật")
    assert "practice.home" in hoa.keys[-2:]
    await hoa.says("/probe free")
    await hoa.says("chuyền năm")
    assert (await stands(hoa))[1]["free"] == "chuyền năm"


async def test_numbers_stand_for_the_screen_and_not_for_what_was_said_beside_it(hoa: TestPerson) -> None:
    await hoa.says("/probe choice")
    await hoa.says("gì đây")
    assert hoa.last.key == "common.choose" and [c.key for c in hoa.last.choices] == [c.key for c in FRUIT]
    await hoa.taps("Lê")
    assert (await stands(hoa))[1] == {"choice": "pear"}


async def test_letters_are_asked_for_only_where_the_options_are_letters(world: World) -> None:
    hoa = await world.joined("Hoa")
    await hoa.says("ôn luật")
    await hoa.says("cái gì vậy trời")
    assert hoa.last.key == "common.choose"
    await hoa.says("1")
    await hoa.says("cái gì vậy trời")
    assert hoa.last.key == "common.choose_letter"


# ---------------------------------------------------------------------------------------------------- buttons


async def test_an_old_button_is_explained_and_then_the_screen_of_now_is_shown_each_time(hoa: TestPerson) -> None:
    await hoa.says("/probe choice")
    old = hoa.last
    await hoa.taps("Lê")
    await hoa.says("xong rồi")
    await hoa.taps("Có")
    for _ in range(2):
        world_before = len(hoa.heard)
        await hoa.presses(old.choices[0].data(old.message.screen))
        assert [heard.key for heard in hoa.heard[world_before:]] == ["common.old_button", "probe.text"]
        hoa.world.later(minutes=5)
    assert (await stands(hoa))[1]["choice"] == "pear"


async def test_another_button_of_a_question_that_is_over_is_an_old_one_and_the_same_one_is_noted_already(
    world: World,
) -> None:
    hoa = await world.joined("Bùi Thị Hoa")
    await hoa.says("bot tin")
    screen = hoa.last.message.screen
    await hoa.taps("Giữ nguyên")
    assert hoa.last.key == "announcing.less_kept"
    for key, said in (("keep", "common.already"), ("all", "common.old_button"), ("nonsense", "common.old_button")):
        before = len(hoa.heard)
        await hoa.presses(f"s:{screen}:{key}")
        hoa.world.later(seconds=2)
        await hoa.world.deliver()
        assert hoa.heard[before].key == said


@pytest.mark.parametrize("what", ["step", "old", "command"])
async def test_ten_taps_on_one_button_are_one_effect_and_one_answer(hoa: TestPerson, what: str) -> None:
    await hoa.says("/probe choice")
    old = hoa.last
    if what == "old":
        await hoa.taps("Lê")
        await hoa.taps("Có")
    await quiet(hoa)
    hoa.heard.clear()
    data = "c:canhan:" if what == "command" else old.choices[0].data(old.message.screen)
    for _ in range(10):
        await hoa.presses(data)
        hoa.world.later(seconds=0.2)
    await quiet(hoa)
    keys = {
        "step": ["probe.many", "common.already"],
        "old": ["common.old_button", "probe.text"],
        "command": ["profile.home"],
    }
    assert [key for key in hoa.keys if key != "common.draft_kept"] == keys[what]


@pytest.mark.parametrize("data", FORGED)
async def test_nonsense_on_a_button_is_answered_and_changes_nothing(hoa: TestPerson, data: str) -> None:
    await hoa.says("/probe text")
    before = len(hoa.transcript)
    await hoa.presses(data.replace("{}", str(hoa.last.message.screen)))
    await quiet(hoa)
    assert len(hoa.transcript) > before
    if not data.startswith("c:"):
        assert (await stands(hoa))[0].step == "text"


async def test_no_command_falls_over_whatever_is_behind_it(world: World) -> None:
    hoa = await world.joined("Hoa")
    stranger = world.person("người lạ")
    for name in world.house.registry.commands:
        for argument in ("", "SK-25-0001.²", "99999999999999999999"):
            await hoa.presses(f"c:{name}:{argument}")
        before = len(stranger.transcript)
        await stranger.presses(f"c:{name}:SK-25-0001")
        assert len(stranger.transcript) > before, name


async def test_an_answer_asks_the_database_no_more_than_it_must(hoa: TestPerson) -> None:
    """Transaction and SAVEPOINT, who this is, what the menu tells, where the talk stands, and the message."""
    await hoa.says("menu")
    asked: list[str] = []
    engine = hoa.world.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda _c, _cursor, sql, *_: asked.append(sql.split()[0]))
    async with hoa.world.database.write() as session:
        await answer(session, hoa.world.house, Incoming("test", hoa.address, hoa.world.now, text="menu"))
    # A server's driver says BEGIN with the first statement, which is that we are no loser of races.
    asked.remove("LOCK" if hoa.world.database.shared else "BEGIN")
    assert Counter(asked) == {"SAVEPOINT": 1, "RELEASE": 1, "SELECT": 7, "UPDATE": 1, "INSERT": 1}


# ---------------------------------------------------------------------------------------------------- drafts


async def test_cancel_asks_and_keeps_goes_on_or_drops(hoa: TestPerson) -> None:
    await hoa.says("/probe choice")
    await hoa.taps("Lê")
    await hoa.says("huy")
    assert hoa.last.key == "common.cancel"
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "probe.many"
    await hoa.says("huy")
    await hoa.says("lưu nháp")
    assert hoa.last.key == "common.saved" and (await stands(hoa))[0].dialogue == ""
    await hoa.presses("c:tieptuc:probe")
    assert hoa.last.key == "probe.many" and (await stands(hoa))[1] == {"choice": "pear"}
    await hoa.says("thôi")
    await hoa.taps("Bỏ")
    assert hoa.last.key == "common.dropped"
    async with hoa.world.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(Draft))).scalar_one() == 0


async def test_cancel_with_nothing_in_hand_leads_to_the_menu(hoa: TestPerson) -> None:
    await hoa.says("/huy")
    assert hoa.keys[-2:] == ["common.nothing_to_cancel", "menu.home"]


async def test_another_command_keeps_the_draft_and_offers_it(hoa: TestPerson) -> None:
    await hoa.says("/probe text")
    await hoa.says("câu trả lời dài")
    await hoa.says("/canhan")
    assert hoa.keys[-2:] == ["common.draft_kept", "profile.home"]  # what is asked now stands last
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "probe.number" and (await stands(hoa))[1] == {"text": "câu trả lời dài"}


async def test_a_week_and_a_restart_take_nothing_away(hoa: TestPerson) -> None:
    world = hoa.world
    await hoa.says("/probe text")
    await hoa.says("câu trả lời dài")
    await world.database.close()
    world.later(days=7)
    again = with_probe(replace_database(world))
    hoa.world = again
    await hoa.says("42")
    assert hoa.last.key == "probe.files"
    assert (await stands(hoa))[1] == {"text": "câu trả lời dài", "number": "42"}
    await again.database.close()


def replace_database(world: World) -> World:
    """The same files, opened by a new process."""
    from db.session import Database

    words, _ = spoken()
    world.database = Database(world.database.url)
    world.house = replace(world.house, registry=build_registry(words))
    return world


async def test_back_shows_what_was_answered_and_keeping_it_goes_forward_again(hoa: TestPerson) -> None:
    await hoa.says("/probe choice")
    await hoa.taps("Lê")
    await hoa.taps("Có")
    await hoa.says("câu <b>cũ</b>")
    await hoa.says("lui")
    assert hoa.last.key == "probe.text" and "câu &lt;b&gt;cũ&lt;/b&gt;" in hoa.last.text
    await hoa.says("giữ")
    assert hoa.last.key == "probe.number" and (await stands(hoa))[1]["text"] == "câu <b>cũ</b>"
    for _ in range(3):
        await hoa.says("lùi")
    assert hoa.last.key == "probe.choice" and "🍐 Lê" in hoa.last.text
    await hoa.says("1")
    assert (await stands(hoa))[1]["choice"] == "apple"


async def test_keeping_stands_last_so_that_numbers_still_mean_what_the_text_says(hoa: TestPerson) -> None:
    await hoa.says("/probe choice")
    await hoa.taps("Lê")
    await hoa.says("lui")
    assert [choice.key for choice in hoa.last.choices] == [*(choice.key for choice in FRUIT), "_keep"]


async def test_every_question_can_be_left_by_a_button(hoa: TestPerson) -> None:
    await hoa.says("/probe text")
    assert [choice.key for choice in hoa.last.choices] == ["none", "_back"]
    await hoa.says("câu trả lời")
    assert hoa.last.key == "probe.number" and [choice.key for choice in hoa.last.choices] == ["_back"]
    await hoa.taps("Quay lại")
    assert hoa.last.key == "probe.text" and [choice.key for choice in hoa.last.choices] == ["none", "_keep", "_back"]
    await hoa.taps("Quay lại")
    assert hoa.keys[-2:] == ["probe.text", "menu.home"]  # the menu itself offers to go on
    await hoa.taps("Làm tiếp")
    assert hoa.last.key == "probe.text"


async def test_a_command_of_the_same_dialogue_can_be_gone_back_from(hoa: TestPerson) -> None:
    await hoa.says("/probe text")
    await hoa.says("/probe files")
    await hoa.says("/probe files")
    await hoa.says("lui")
    assert hoa.last.key == "probe.text"


async def test_a_draft_at_a_question_that_is_no_longer_asked_goes_on_at_the_first_one(hoa: TestPerson) -> None:
    await hoa.says("/probe text")
    await hoa.says("câu trả lời dài")
    await hoa.says("menu")
    async with hoa.world.database.write() as session:
        draft = (await session.execute(select(Draft))).scalar_one()
        draft.step, draft.history = "asked last year", ["also last year"]
    await hoa.presses("c:tieptuc:probe")
    assert hoa.keys[-2:] == ["common.form_changed", "probe.choice"]
    assert (await stands(hoa))[1] == {"text": "câu trả lời dài"}
    await hoa.says("lui")
    assert hoa.last.key != "common.error"


# ---------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("typed", REFUSALS)
async def test_a_refusal_takes_back_all_that_its_step_wrote_and_keeps_the_place(hoa: TestPerson, typed: str) -> None:
    await hoa.says("/probe text")
    await hoa.says("câu trả lời dài")
    hoa.heard.clear()
    await hoa.says(typed)
    await quiet(hoa)
    refusal = REFUSALS[typed]
    assert hoa.keys == [refusal.key]  # type: ignore[attr-defined]
    conversation, data = await stands(hoa)
    assert conversation.step == "number" and data == {"text": "câu trả lời dài"} and conversation.pending == {}
    async with hoa.world.database.read() as session:
        assert (await session.get_one(Person, await hoa.id())).name == "Bùi Thị Hoa"
        assert (await session.execute(select(func.count()).select_from(UnitRequest))).scalar_one() == 0
        saved = select(func.count()).where(OutboxRow.payload["key"].as_string() == "common.saved")
        assert (await session.execute(saved)).scalar_one() == 0
    await hoa.says("42")
    assert hoa.last.key == "probe.files"


# ---------------------------------------------------------------------------------------------------- files


async def test_files_where_none_are_asked_for_are_refused_with_the_question_at_hand(hoa: TestPerson) -> None:
    await hoa.says("/probe choice")
    await hoa.sends_photo(text="ảnh trước")
    assert hoa.last.key == "common.no_files_yet" and len(hoa.last.choices) == len(FRUIT)
    await hoa.says("menu")
    await hoa.sends_photo()
    assert hoa.last.key == "common.no_files_here"


@pytest.mark.parametrize("moves_on", [False, True])
async def test_what_is_said_about_files_after_a_pause_is_void_once_the_next_question_stands(
    hoa: TestPerson, moves_on: bool
) -> None:
    await hoa.says("/probe files")
    await hoa.sends_photo()
    if moves_on:
        await hoa.taps("Xong")
    await quiet(hoa)
    assert ("common.saved" in hoa.keys) is not moves_on


async def test_the_pictures_of_an_album_are_refused_once(hoa: TestPerson) -> None:
    await hoa.says("/probe choice")
    before = len(hoa.heard)
    for _ in range(6):
        await hoa.sends_photo(group="album")
    assert [heard.key for heard in hoa.heard[before:]] == ["common.no_files_yet"]


async def test_people_are_asked_to_delete_only_what_their_door_cannot_take_away_itself(hoa: TestPerson) -> None:
    card = File("photo", "r", "u", "CCCD mặt trước.jpg")
    await hoa.sends(card)
    assert "xóa giúp trong khung chat" in hoa.last.text
    hoa.world.house = replace(hoa.world.house, erasing=frozenset({hoa.channel}))
    await hoa.sends(card)
    assert hoa.last.text.endswith("Tin này đã được xóa khỏi hệ thống.")


@pytest.mark.parametrize(
    ("file", "key"),
    [
        (File("voice", "", ""), "common.media"), (File("other", "", ""), "common.media"), (File("sticker", "", ""), "common.sticker"),
        (File("photo", "r", "u", "CCCD mặt trước.jpg"), "common.identity_card"), (File("photo", "r", "u"), ""),
    ],
)  # fmt: skip
async def test_what_kind_of_file_it_is_decides(hoa: TestPerson, file: File, key: str) -> None:
    await hoa.says("/probe files")
    await hoa.sends(file)
    assert hoa.last.key == (key or "probe.files")
    assert (await stands(hoa))[1] == ({} if key else {"files": 1})
