"""The step that answers one message: finds what it means, runs it, shows what comes next, in the caller's transaction."""

from __future__ import annotations

import re
from datetime import timedelta

from content.message import Message, to_json
from content.text import clean, fold, letters, looks_like_identity_card, read_code, whole_number
from db import accounts, outbox
from db.errors import Expected, NotFound
from db.models import Account, Conversation, Draft, Person, Reach
from db.session import Session
from handlers.course import Course
from handlers.dialogue import BACK, Again, Answer, Forget, Incoming, Kind
from handlers.meaning import joined_up, option, several, spellings
from handlers.talk import House, Talk

LONGEST = 4096
"""Characters of one message, Telegram's own limit; the web chat could send more."""
FILE_KINDS = ("photo", "document", "video")
TYPED = (Kind.TEXT, Kind.NUMBER, Kind.FILES)
"""On these screens digits and single letters are answers: a story, an amount, "how many people?"."""
BURST = timedelta(seconds=3)
"""Presses of one button that come so close together are one: a thumb, or a network that repeats."""
COMMAND = re.compile(r"/([a-z0-9_]+)(?:@\w+)?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)


async def answer(session: Session, house: House, incoming: Incoming) -> Forget:
    """Answers one message. Returns what of it must be forgotten at once.

    Expected refusals roll back to the step's SAVEPOINT and become an answer; everything unexpected is raised.
    """
    chat = await accounts.enter(session, incoming.channel, incoming.address, incoming.received_at)
    account, person = chat.account, chat.person
    if incoming.place == "gone":
        account.reach = Reach.BLOCKED
        return Forget.CONTENT if account.person_id is None else Forget.NOTHING
    if incoming.place == "group":
        link = house.links.get(incoming.channel, "").replace("?start={}", "")
        await _send(session, account, house.words.message("common.group", link=link), incoming, slot="group")
        return Forget.CONTENT
    talk = Talk(session, house, account, chat.conversation, person, incoming.received_at, chat.draft)
    turn = _Turn(talk, incoming, hurried=_hurried(chat.conversation, incoming))
    pending = talk.quiet
    try:
        async with session.begin_nested():
            await turn.run()
            turn.settle()
    except Expected as refusal:
        await _reload(session, talk)
        # The pictures of an album are refused as one: what is said to the next one replaces what was said to the last.
        slot = f"album-{incoming.group}" if incoming.group else None
        talk.out = [(turn.refusal(refusal), slot, 0.0)]
        turn.settle()
    if talk.quiet != pending or talk.private:
        await outbox.drop_slot(session, account, pending)
    for place, (message, slot, after) in enumerate(talk.out):
        if turn.hurried and slot is None:
            slot = f"again-{talk.conversation.screen}-{place}"
        await _send(session, account, message, incoming, slot, after)
    if talk.private:
        return Forget.TRACES
    return Forget.CONTENT if talk.person is None else Forget.NOTHING


def _hurried(conversation: Conversation, incoming: Incoming) -> bool:
    """Whether this repeats the press before it within moments: ten answers are then told as one, each in place."""
    again = bool(incoming.choice) and incoming.choice == conversation.last_press
    return again and incoming.received_at - conversation.updated_at <= BURST


async def _send(
    session: Session,
    account: Account,
    message: Message,
    incoming: Incoming,
    slot: str | None = None,
    after: float = 0.0,
) -> None:
    await outbox.put(session, account, to_json(message), now=incoming.received_at, slot=slot, after=after)


async def _reload(session: Session, talk: Talk) -> None:
    """What a rolled-back step changed in memory is read again from the database."""
    await session.refresh(talk.conversation)
    await session.refresh(talk.account)
    draft_id = talk.conversation.draft_id
    talk.draft = await session.get(Draft, draft_id, populate_existing=True) if draft_id else None
    person_id = talk.account.person_id
    talk.owner = await session.get(Person, person_id, populate_existing=True) if person_id else None


class _Turn(Course):
    """One message being read: what it means decides where its talk goes."""

    unknown = "common.unknown"

    async def run(self) -> None:
        incoming = self.incoming
        if incoming.place == "edited":
            raise Again("common.edited")
        self.notice_lost_draft()
        if incoming.choice:
            await self.pressed(incoming.choice)
            return
        text = clean(incoming.text)
        if letters(text) > LONGEST:
            raise Again("common.too_long", n=letters(text))
        named = "\n".join([text, *(file.name for file in incoming.files)])
        if looks_like_identity_card(named, caption=bool(incoming.files)) or self.of_refused_album():
            self.refuse_identity_card()
        elif incoming.files:
            await self.sent_files(text)
        elif text:
            await self.typed(text)
        else:
            raise Again("common.media")

    def of_refused_album(self) -> bool:
        """Whether this is another side of the card: only one picture of an album carries the words, whichever comes first."""
        return bool(self.incoming.group) and self.incoming.group == self.conversation.refused_album

    def refuse_identity_card(self) -> None:
        """Keeps nothing of it and says so, once for an album."""
        group = self.incoming.group
        self.talk.private, self.conversation.refused_album = True, group
        self.talk.say("common.identity_card", slot=f"album-{group}" if group else None)

    def notice_lost_draft(self) -> None:
        """Somebody at two doors may have sent or dropped at the other what is still on the screen here."""
        dialogue = self.talk.house.registry.dialogues.get(self.conversation.dialogue)
        if dialogue is not None and dialogue.keeps_draft and self.talk.joined and self.talk.draft is None:
            self.idle()
            self.unknown = "common.draft_elsewhere"

    async def pressed(self, data: str) -> None:
        kind, _, rest = data.partition(":")
        if kind == "c":
            name, _, arg = rest.partition(":")
            await self.command(name, arg)
            return
        number, _, key = rest.partition(":")
        screen = whole_number(number)
        if kind != "s" or screen is None:
            raise Again("common.unknown")
        if screen == self.conversation.screen:
            chosen = next((c for c in self.choices if not c.command and c.key == key), None)
            if chosen is None:
                raise Again(self.unknown)
            self.conversation.last_choice = data
            await self.pick(chosen)
        elif data == self.conversation.last_choice:
            # One slot per screen: an edit of last week's answer would be seen by nobody.
            self.talk.say("common.already", slot=f"already-{self.conversation.screen}", after=1.0)
        else:
            self.talk.say("common.old_button", slot=f"old-{self.conversation.screen + (not self.hurried)}")
            await self.show_again()

    async def typed(self, text: str) -> None:
        kind, step = self.conversation.screen_kind, self.step
        if (many := several(self.choices, text)) and kind == Kind.MANY:
            await self.take(Answer(many=many))
            return
        if (chosen := option(self.choices, text, numbered=kind not in TYPED)) is not None:
            await self.pick(chosen)
            return
        if (command := COMMAND.fullmatch(text)) and await self.slash(command[1].lower(), (command[2] or "").strip()):
            return
        for folded in spellings(text):
            if await self.whole_word(folded, kind):
                return
        if (code := self.unit_code(text)) and kind not in TYPED:
            await self.command("start", f"u-{code}")
            return
        takes = step is not None and step.take is not None
        if (code := read_code(text)) and kind not in TYPED and not (step and step.free) and self.talk.joined:
            await self.receipt(code)
            return
        if takes and kind in TYPED:
            await self.take(Answer(text=text))
            return
        words = self.talk.house.registry.words
        if name := next((words[each] for each in map(joined_up, spellings(text)) if each in words), ""):
            await self.command(name, "")
        elif takes and step is not None and step.free:
            await self.take(Answer(text=text))
        elif step is not None and any(not c.command for c in self.choices):
            lettered = [c.label for c in self.choices[:4]] == list("ABCD")
            raise Again("common.choose_letter" if lettered else "common.choose")
        elif not self.talk.joined and not self.conversation.dialogue:
            await self.move(self.talk.house.registry.joining, push=False)
        else:
            self.talk.say(self.unknown)

    def unit_code(self, text: str) -> str:
        """The code in "DV AB12", which stands for the deep link of a unit where links cannot carry one (§4.19)."""
        word, _, code = text.strip().partition(" ")
        named = fold(word) in self.talk.house.registry.global_words["unit"]
        return code.strip() if named and re.fullmatch(r"\s*[A-Za-z0-9_-]+\s*", code) else ""

    async def receipt(self, code: str) -> None:
        """A receipt code opens its thing by the first command that has it for this person."""
        for command in self.talk.house.registry.order:
            if command.opens is not None and await command.opens(self.talk, code):
                await self.command(command.name, code)
                return
        raise NotFound("common.not_found")

    async def slash(self, name: str, arg: str) -> bool:
        """A /command; one that does not exist is never the answer to a question. "/5 phut" is none."""
        registry = self.talk.house.registry
        if name in registry.slashes:
            await self.command(name, arg)
            return True
        if arg or await self.whole_word(name, self.conversation.screen_kind):
            return not arg
        raise Again("common.unknown")

    async def sent_files(self, text: str) -> None:
        kinds = {file.kind for file in self.incoming.files}
        if kinds == {"sticker"}:
            self.talk.say("common.sticker")
            return
        if not kinds <= set(FILE_KINDS):
            raise Again("common.media")
        step = self.step
        if step is None or step.take is None or not self.conversation.draft_id:
            raise Again("common.no_files_here")
        if step.kind != Kind.FILES:
            raise Again("common.no_files_yet")
        await self.take(Answer(text=text, files=self.incoming.files, group=self.incoming.group))

    async def whole_word(self, folded: str, kind: str) -> bool:
        """Words that mean the same everywhere, when they are the whole message."""
        words = self.talk.house.registry.global_words
        if folded in words["menu"] or (folded == "0" and kind not in TYPED):
            await self.command("menu", "")
        elif folded in words["cancel"]:
            await self.cancel()
        elif folded in words["back"] or (folded == "9" and kind not in TYPED):
            await self.move(BACK)
        elif folded in words["help"]:
            await self.command("trogiup", "")
        elif folded in words["stop"]:
            await self.command("dungtin", "")
        elif folded in words["skip"]:
            chosen = next((c for c in self.choices if c.key == "skip"), None)
            if chosen is None:
                raise Again("common.cannot_skip")
            await self.pick(chosen)
        else:
            return False
        return True
