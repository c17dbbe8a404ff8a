"""The step that answers one message: finds what it means, runs it, shows what comes next, in the caller's transaction."""

from __future__ import annotations

import re

from content.message import Choice, choices_from_json, to_json
from content.text import clean, fold, letters, looks_like_identity_card, read_code, whole_number
from db import accounts, outbox
from db.errors import Expected, NotFound
from db.session import Session, undone_by
from handlers.course import Course
from handlers.dialogue import BACK, TYPED, Again, Answer, Command, Forget, Incoming, Kind
from handlers.meaning import joined_up, option, plain_label, several, spellings
from handlers.talk import House, Talk

LONGEST = 4096
"""Characters of one message, Telegram's own limit; the web chat could send more."""
FILE_KINDS = {"photo", "document", "video"}
DIGITS = {"0": "menu", "9": "back"}
EVERYWHERE = {"menu": "menu", "help": "trogiup", "stop": "dungtin"}
"""The commands of words that mean the same everywhere."""
COMMAND = re.compile(r"/([a-z0-9_]+)(?:@\w+)?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)


async def answer(session: Session, house: House, incoming: Incoming) -> Forget:
    """Answers one message. Returns what of it must be forgotten at once.

    Expected refusals roll back to the step's SAVEPOINT and become an answer; everything unexpected is raised.
    """
    talk = await _enter(session, house, incoming)
    account, screen, takes_files = talk.account, talk.conversation.screen, talk.conversation.screen_kind == Kind.FILES
    quiet = talk.conversation.quiet
    if incoming.place == "gone":
        await accounts.lose(session, account.id, incoming.received_at)
        return Forget.CONTENT if account.person_id is None else Forget.NOTHING
    turn = _Turn(talk, incoming)
    if incoming.place == "group":
        talk.say("common.group", link=house.links.get(incoming.channel, "").replace("?start={}", ""), slot="group")
    else:
        try:
            async with undone_by(session, Expected):
                await turn.run()
                turn.settle()
        except Expected as refusal:
            talk = await _enter(session, house, incoming)  # what the step changed in memory is as it was before
            turn = _Turn(talk, incoming)
            await turn.refuse(refusal)
            turn.settle()
    await accounts.keep(session, talk.conversation)
    shown = talk.conversation.screen
    if takes_files and (shown != screen or talk.private):
        await outbox.drop_slot(session, account, quiet, talk.now)
    for place, (message, slot, after) in enumerate(talk.out):
        if turn.hurried and slot is None:
            slot = f"again-{shown}-{place}"
        fresh = shown != screen and slot == f"screen-{shown}"
        await outbox.put(
            session,
            account,
            to_json(message),
            now=incoming.received_at,
            slot=slot,
            fresh=fresh,
            edits=not fresh and slot is not None and await turn.may_edit(slot),
            after=after,
        )
    if talk.private:
        return Forget.TRACES
    return Forget.CONTENT if talk.person is None or incoming.place == "group" else Forget.NOTHING


async def _enter(session: Session, house: House, incoming: Incoming) -> Talk:
    chat = await accounts.enter(session, incoming.channel, incoming.address, incoming.received_at)
    return Talk(session, house, chat.account, chat.conversation, chat.person, incoming.received_at, chat.draft)


def is_identity_card(incoming: Incoming) -> bool:
    """Whether a message says of itself that it is one: nothing of it may be kept."""
    named = "\n".join([clean(incoming.text), *(file.name for file in incoming.files)])
    return not incoming.choice and looks_like_identity_card(named, caption=bool(incoming.files))


class _Turn(Course):
    """One message being read: what it means decides where its talk goes."""

    unknown = "common.unknown"

    async def run(self) -> None:
        incoming = self.incoming
        if incoming.place == "edited":
            raise Again("common.edited")
        self.notice_lost_draft()
        if self.dialogue is not None and not await self.dialogue.open_to(self.talk):
            self.idle()
            if not incoming.choice.startswith("c:"):
                self.talk.say("common.refused", self.talk.house.words.message("commands.menu").choices[0])
                return
        text = clean(incoming.text)
        if incoming.choice:
            await self.pressed(incoming.choice)
        elif letters(text) > LONGEST:
            raise Again("common.too_long", n=letters(text))
        elif self.is_identity_card():
            # Nothing of it is kept, which is said once for an album.
            told = bool(incoming.group) and incoming.group == self.conversation.refused_album
            self.talk.private, self.conversation.refused_album = True, incoming.group
            if not told:
                self.talk.say("common.identity_card", stays=incoming.channel not in self.talk.house.erasing)
        elif incoming.files:
            await self.sent_files(text)
        elif text:
            await self.typed(text)
        else:
            raise Again("common.media")

    def is_identity_card(self) -> bool:
        """Only the first picture of an album carries the words; the others are its other sides."""
        group = self.incoming.group
        if self.step is not None and self.step.to_many and not self.incoming.files:
            return False
        return (bool(group) and group == self.conversation.refused_album) or is_identity_card(self.incoming)

    def notice_lost_draft(self) -> None:
        """Somebody at two doors may have sent or dropped at the other what is still on the screen here."""
        if self.dialogue is not None and self.dialogue.keeps_draft and self.talk.joined and self.talk.draft is None:
            self.idle()
            self.unknown = "common.draft_elsewhere"

    async def pressed(self, data: str) -> None:
        kind, _, rest = data.partition(":")
        first, _, second = rest.partition(":")
        if kind == "c":
            await self.command(first, second)
        elif kind != "s" or (screen := whole_number(first)) is None:
            raise Again("common.unknown")
        elif screen == self.conversation.screen and (chosen := self.option_named(second)) is not None:
            self.conversation.last_choice = data
            await self.pick(chosen)
        elif self.unknown != _Turn.unknown:
            raise Again(self.unknown)
        elif data == self.conversation.last_choice:
            # One slot per screen: an edit of last week's answer would be seen by nobody.
            self.talk.say("common.already", slot=f"already-{self.conversation.screen}", after=1.0)
        else:
            self.talk.say("common.old_button", slot=f"old-{self.conversation.screen + (not self.hurried)}")
            await self.show_again()

    async def typed(self, text: str) -> None:
        """One order for what a message may mean: a /command, the options, the words that mean the same everywhere, an answer."""
        kind, step, registry = self.conversation.screen_kind, self.step, self.talk.house.registry
        takes, free = step is not None and step.take is not None, step is not None and step.free
        opens = next((registry.words[word] for word in map(joined_up, spellings(text)) if word in registry.words), "")
        if text.startswith("/") and await self.commanded(text):
            pass  # "/thi" is not the option whose words "thi" is among
        elif kind == Kind.MANY and (many := several(self.choices, text)):
            await self.take(Answer(many=many))
        elif chosen := self.meant(text):
            await self.pick(chosen)
        elif not text.startswith("/") and await self.commanded(text):
            pass
        elif takes and kind in TYPED and not (opens and step is not None and step.beside):
            await self.take(Answer(text=text))
        elif kind not in TYPED and (code := self.unit_code(text)):
            await self.command("start", f"u-{code}")
        elif kind not in TYPED and not free and self.talk.joined and (code := read_code(text, self.talk.today.year)):
            if not await self.opened(code):
                raise NotFound("common.not_found")
        elif opens:
            await self.command(opens, "")
        elif takes and free:
            try:
                await self.take(Answer(text=text))
            except NotFound:  # a list that takes codes does not have this one; another command may
                if not await self.opened(read_code(text, self.talk.today.year)):
                    raise
            except Again:
                if (heard := self.hearing(text)) is None:
                    raise
                await self.command(heard.name, text)
        elif not self.talk.joined and not self.conversation.dialogue:
            if heard := self.hearing(text):
                await self.command(heard.name, text)
            await self.move(registry.joining, push=False)
        elif heard := self.hearing(text):
            await self.command(heard.name, text)
        elif step is not None and self.has_options:
            raise Again(self.choose)
        else:
            stand = self.choices if step is not None else ()  # what stands stays at hand, with its numbers
            self.talk.say(self.unknown, *stand, only=() if stand else None)

    def meant(self, text: str) -> Choice | None:
        """The option a message means: of what was said last beside the question, then of the question. Numbers mean the
        newest buttons alone; where words are waited for they are words, unless those only stand beside the files."""
        kind, step = self.conversation.screen_kind, self.step
        numbered = kind not in TYPED or (step is not None and step.beside)
        said = choices_from_json(self.conversation.said) if numbered else ()
        return option(said, text, numbered=True) or option(self.choices, text, numbered=numbered and not said)

    def option_named(self, key: str) -> Choice | None:
        """The option of the screen that a button names; its question may be over, or have lost it."""
        return next((c for c in self.choices if not c.command and c.key == key), None)

    @property
    def has_options(self) -> bool:
        """Whether the screen has options of its own."""
        return any(not choice.command for choice in self.choices)

    @property
    def choose(self) -> str:
        """The key of what is said where a button is waited for."""
        lettered = [choice.label for choice in self.choices[:4]] == list("ABCD")
        return "common.choose_letter" if lettered else "common.choose"

    @property
    def needed(self) -> bool:
        """Whether there is no going on without an answer: words are waited for, a form is filled in, somebody joins.

        Elsewhere buttons are merely offered.
        """
        talk, joining = self.talk, self.talk.house.registry.joining.dialogue
        joins = talk.person is not None and not talk.joined and self.conversation.dialogue == joining
        return self.conversation.screen_kind in TYPED or talk.draft is not None or joins

    def unit_code(self, text: str) -> str:
        """The code in "DV AB12", which stands for the deep link of a unit where links cannot carry one (§4.19)."""
        word, _, code = text.strip().partition(" ")
        named = self.talk.house.registry.global_words.get(fold(word)) == "unit"
        return code.strip() if named and re.fullmatch(r"\s*[A-Za-z0-9_-]+\s*", code) else ""

    def hearing(self, text: str) -> Command | None:
        """The command for a message that nothing else understood; where only buttons are waited for, too."""
        if self.step is not None and self.step.tested:
            return None
        return next(
            (c for c in self.talk.house.registry.order if c.hears is not None and c.hears(self.talk, text)), None
        )

    async def opened(self, code: str) -> bool:
        """A receipt code opens its thing by the first command that has it for this person."""
        for command in self.talk.house.registry.order:
            if command.opens is not None and await command.opens(self.talk, code):
                await self.command(command.name, code)
                return True
        return False

    async def commanded(self, text: str) -> bool:
        """A /command or a word that means the same everywhere. A /command that does not exist is never the answer to a
        question; "/5 phut" is none, "/thi dua" one of two words."""
        found = COMMAND.fullmatch(text)
        name, arg = (found[1].lower(), (found[2] or "").strip()) if found else ("", text)
        spelt = self.talk.house.registry.words.get(joined_up(plain_label(text))) if found and arg else None
        if spelt is not None:
            await self.command(spelt, "")
        elif name in self.talk.house.registry.slashes:
            await self.command(name, arg)
        elif arg:
            return await self.whole_word(text)
        elif not await self.whole_word(name):
            raise Again("common.unknown")
        return True

    async def sent_files(self, text: str) -> None:
        kinds, step = {file.kind for file in self.incoming.files}, self.step
        if kinds == {"sticker"}:
            self.talk.say("common.sticker")
        elif not kinds <= FILE_KINDS:
            raise Again("common.media")
        elif step is None or step.take is None or not self.conversation.draft_id:
            raise Again("common.no_files_here")
        elif step.kind != Kind.FILES:
            raise Again("common.no_files_yet")
        else:
            await self.take(Answer(text=text, files=self.incoming.files, group=self.incoming.group))

    async def whole_word(self, text: str) -> bool:
        """Words that mean the same everywhere, when they are the whole message."""
        words = self.talk.house.registry.global_words
        if self.conversation.screen_kind not in TYPED:
            words = words | DIGITS
        meaning = next((words[folded] for folded in spellings(text) if folded in words), "")
        if meaning in EVERYWHERE:
            await self.command(EVERYWHERE[meaning], "")
        elif meaning == "cancel":
            await self.cancel()
        elif meaning == "back":
            await self.move(BACK)
        elif meaning == "skip":
            chosen = next((c for c in self.choices if c.key == "skip"), None)
            if chosen is not None:
                await self.pick(chosen)
            elif self.needed:
                raise Again("common.cannot_skip")
            elif self.has_options:
                raise Again(self.choose)
            else:
                return False  # nothing was asked
        else:
            return False
        return True
