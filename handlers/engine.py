"""The step that answers one message: finds what it means, runs it, shows what comes next, in the caller's transaction."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from content.message import MAX_CHOICES, Choice, Message, to_json
from content.text import clean, fold, letters, looks_like_identity_card, whole_number
from db import accounts, outbox
from db.errors import Expected
from db.models import Account, Conversation, Draft, Person, Reach
from db.session import Session
from handlers.dialogue import AGAIN, BACK, END, LEAVE, STAY, Again, Answer, Dialogue, Forget, Incoming, Kind, Move, Step
from handlers.meaning import option, several, spellings
from handlers.talk import House, Talk

LONGEST = 4096
"""Characters of one message, Telegram's own limit; the web chat could send more."""
REDIRECTS = 20
HISTORY = 30
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
    if talk.quiet != pending:
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


class _Turn:
    """One message being answered."""

    def __init__(self, talk: Talk, incoming: Incoming, *, hurried: bool) -> None:
        self.talk = talk
        self.incoming = incoming
        self.hurried = hurried
        self.shown = False
        self.unknown = "common.unknown"

    @property
    def conversation(self) -> Conversation:
        return self.talk.conversation

    @property
    def step(self) -> Step | None:
        dialogue = self.talk.house.registry.dialogues.get(self.conversation.dialogue)
        return dialogue.steps.get(self.conversation.step) if dialogue else None

    @property
    def choices(self) -> list[Choice]:
        return [
            Choice(label, key, command, arg, tuple(words))
            for label, key, command, arg, words in self.conversation.choices
        ]

    # ------------------------------------------------------------------------------------------------ meaning

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
        """Whether this is another side of the card: only the first picture of an album carries the words."""
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
        if takes and kind in TYPED:
            await self.take(Answer(text=text))
            return
        words = self.talk.house.registry.words
        if name := next((words[folded] for folded in spellings(text) if folded in words), ""):
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

    # ------------------------------------------------------------------------------------------------ doing

    async def command(self, name: str, arg: str) -> None:
        command = self.talk.house.registry.commands.get(name)
        if command is None:
            raise Again("common.unknown")
        if command.joined and not self.talk.joined and not (command.own and self.talk.owner is not None):
            self.conversation.pending = {**self.conversation.pending, "command": name, "arg": arg}
            await self.move(self.talk.house.registry.joining, push=False)
            return
        before = self.draft_in_hand()
        move = await command.run(self.talk, arg)
        if move is not None:
            await self.move(move, push=False)
            if before and self.conversation.dialogue != before:
                self.talk.say("common.draft_kept", dialogue=before, what=self.talk.words(f"{before}.draft_name"))

    def draft_in_hand(self) -> str:
        return self.conversation.dialogue if self.talk.draft is not None and self.talk.draft.data else ""

    async def pick(self, chosen: Choice) -> None:
        if chosen.command:
            await self.command(chosen.command, chosen.arg)
        elif chosen.key == "_keep":
            await self.keep()
        elif chosen.key == "_save":
            await self.move(LEAVE)
            self.talk.say("common.saved")
        elif chosen.key == "_drop":
            await self.move(END)
            self.talk.say("common.dropped")
        elif chosen.key == "_on":
            await self.show_again()
        else:
            await self.take(Answer(choice=chosen.key))

    async def take(self, given: Answer) -> None:
        step = self.step
        if step is None or step.take is None:
            raise Again("common.unknown")
        result = await step.take(self.talk, given)
        if result not in (STAY, AGAIN):
            self.talk.state.ahead = []
        await self.move(result)

    async def keep(self) -> None:
        """The previous answer stands: go on to where the person came back from."""
        ahead = list(self.talk.state.ahead)
        target = ahead.pop() if ahead else ""
        self.talk.state.ahead = ahead
        if target:
            self.push()
            await self.ask(target)
        else:
            await self.show_again()

    async def cancel(self) -> None:
        if self.step is None or not self.conversation.dialogue or self.conversation.dialogue == "menu":
            self.talk.say("common.nothing_to_cancel")
            await self.command("menu", "")
        elif self.draft_in_hand():
            message = self.talk.screen("common.cancel")
            self.show(message, Kind.CHOICE)
        else:
            await self.move(END)
            self.talk.say("common.cancelled")

    def push(self) -> None:
        state = self.talk.state
        if self.conversation.step and (not state.history or state.history[-1] != self.conversation.step):
            state.history = [*state.history, self.conversation.step][-HISTORY:]

    async def move(self, move: Move | str, *, push: bool = True) -> None:
        if isinstance(move, str):
            if push:
                self.push()
            await self.ask(move)
        elif move == STAY:
            return
        elif move == AGAIN:
            await self.ask(self.conversation.step, in_place=bool(self.incoming.choice))
        elif move == BACK:
            await self.back()
        elif move == END:
            if self.talk.draft is not None:
                await self.talk.session.delete(self.talk.draft)
            self.idle()
        elif move == LEAVE:
            self.idle()
        elif move.dialogue == self.conversation.dialogue and self.step is not None:
            self.talk.put(**move.data)
            await self.move(move.step or self.conversation.step, push=push)
        else:
            await self.start(move)

    async def start(self, move: Move) -> None:
        dialogue = self.talk.house.registry.dialogues[move.dialogue]
        self.idle()
        self.conversation.dialogue = dialogue.name
        step = move.step
        if dialogue.keeps_draft and self.talk.person is not None:
            step = await self.open_draft(dialogue, step)
        self.talk.put(**move.data)
        await self.ask(step)

    async def open_draft(self, dialogue: Dialogue, step: str) -> str:
        """Takes up the person's draft of a dialogue, or begins one. An empty step means where it was left."""
        session, me = self.talk.session, self.talk.me
        draft = await accounts.find_draft(session, me.id, dialogue.name)
        if draft is None:
            first = step or next(iter(dialogue.steps))
            draft = Draft(
                person_id=me.id,
                dialogue=dialogue.name,
                step=first,
                data={},
                history=[],
                ahead=[],
                updated_at=self.talk.now,
            )
            session.add(draft)
            await session.flush()
        self.talk.draft = draft
        self.conversation.draft_id = draft.id
        # A draft may be older than the questions: one that is no longer asked begins again with the answers it has.
        return step or (draft.step if draft.step in dialogue.steps else next(iter(dialogue.steps)))

    def idle(self) -> None:
        conversation = self.conversation
        conversation.dialogue = conversation.step = ""
        conversation.data, conversation.history, conversation.ahead = {}, [], []
        conversation.draft_id = None
        self.talk.draft = None
        conversation.choices, conversation.screen_kind = [], ""

    async def back(self) -> None:
        state = self.talk.state
        steps = self.talk.house.registry.dialogues[self.conversation.dialogue].steps if self.step else {}
        history = [name for name in state.history if name in steps]
        if not history:
            await self.command("menu", "")
            return
        target = history.pop()
        state.history, state.ahead = history, [*state.ahead, self.conversation.step]
        await self.ask(target, returning=True)

    # ------------------------------------------------------------------------------------------------ showing

    async def ask(self, name: str, *, in_place: bool = False, returning: bool = False) -> None:
        for _ in range(REDIRECTS):
            dialogue = self.talk.house.registry.dialogues[self.conversation.dialogue]
            step = dialogue.steps[name]
            self.conversation.step = name
            result = await step.ask(self.talk)
            if isinstance(result, Message):
                if self.talk.draft is not None:
                    self.talk.draft.updated_at = self.talk.now
                    if name not in ("resume", "start"):
                        self.talk.draft.step = name
                previous = self.talk.data.get(name) if returning else None
                if isinstance(previous, str) and previous:
                    result = self.with_previous(result, previous)
                self.show(result, step.kind, in_place=in_place)
                return
            if isinstance(result, Move):
                await self.move(result, push=False)
                return
            name = result
        raise RuntimeError(f"step {name} of {self.conversation.dialogue} redirects for ever")

    def with_previous(self, message: Message, previous: str) -> Message:
        words = self.talk.house.words
        shown = next((choice.label for choice in message.choices if choice.key == previous), previous)
        if len(message.choices) >= MAX_CHOICES:  # no room for one more; the same option keeps it with one tap too
            note = words.text("common.previous_choice", previous=shown)
            return replace(message, text=f"{message.text}\n\n{note}")
        note = words.text("common.previous", previous=shown if len(shown) <= 120 else shown[:117] + "…")
        keep = words.message("common.previous", previous="").choices  # last: the text may number the others
        return replace(message, text=f"{message.text}\n\n{note}", choices=(*message.choices, *keep))

    def show(self, message: Message, kind: Kind, *, in_place: bool = False) -> None:
        if len(message.choices) > MAX_CHOICES:
            raise ValueError(f"{message.key} shows {len(message.choices)} options; {MAX_CHOICES} fit a small phone")
        conversation = self.conversation
        if not in_place and not self.hurried:
            conversation.screen += 1
        conversation.choices = to_json(message)["choices"]
        conversation.screen_kind = kind.value
        self.talk.out.append((replace(message, screen=conversation.screen), f"screen-{conversation.screen}", 0.0))
        self.shown = True

    async def show_again(self) -> None:
        """The question as it stands, for somebody who lost it."""
        if self.step is not None:
            await self.ask(self.conversation.step)
        else:
            await self.command("menu", "")

    def settle(self) -> None:
        """Last words with options become the screen, so that they too answer to a number."""
        self.conversation.updated_at = self.incoming.received_at
        self.conversation.last_press = self.incoming.choice
        if self.shown or self.conversation.dialogue or not self.talk.out:
            return
        message, slot, after = self.talk.out[-1]
        if message.choices and all(choice.command for choice in message.choices):
            self.conversation.screen += 1
            self.conversation.choices = to_json(message)["choices"]
            self.conversation.screen_kind = Kind.CHOICE.value
            self.talk.out[-1] = (replace(message, screen=self.conversation.screen), slot, after)

    def refusal(self, refusal: Expected) -> Message:
        """Why not, with the current options at hand so that nobody has to scroll for them."""
        message = self.talk.house.words.message(refusal.key, **refusal.params)
        self.shown = True
        if self.choices and not message.choices:
            return replace(message, choices=tuple(self.choices), screen=self.conversation.screen)
        return message
