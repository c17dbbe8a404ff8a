"""Where a talk goes: choices that are taken, moves and drafts, the way back, and what is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import escape

from content.message import MAX_CHOICES, Choice, Message, choices_from_json, choices_to_json, without_markup
from db import accounts, outbox
from db.errors import Expected
from db.models import Conversation
from handlers.dialogue import AGAIN, BACK, CANCEL, END, LEAVE, STAY, Again, Answer, Dialogue, Incoming, Kind, Move, Step
from handlers.paging import turn_back
from handlers.talk import Talk

REDIRECTS = 20
ASIDE = ("resume", "anew", "start")
"""Questions about a draft, not of it: the draft stays where it was left."""
RESUME = "tieptuc"
"""The command that opens a draft again, its dialogue in the argument."""
HISTORY = 30
OUT = {"_back", "no", "stop", "home"}
"""The keys of options that lead away from a question without answering it."""
CHOOSE = ("common.choose", "common.choose_letter")
"""What is said where only a button would have been an answer."""
RECALLED = 200
"""Characters of a question that is recalled."""
BURST = timedelta(seconds=3)
"""Presses of one button that come so close together are one: a thumb, or a network that repeats."""


class Course:
    """The course of one talk while one message is answered.

    `hurried` when that repeats the press before it within moments: ten answers are then told as one, each in place.
    """

    def __init__(self, talk: Talk, incoming: Incoming) -> None:
        self.talk = talk
        self.incoming = incoming
        again = bool(incoming.choice) and incoming.choice == talk.conversation.last_press
        self.hurried = again and incoming.received_at - talk.conversation.updated_at <= BURST
        self.shown = False

    @property
    def conversation(self) -> Conversation:
        return self.talk.conversation

    @property
    def dialogue(self) -> Dialogue | None:
        return self.talk.house.registry.dialogues.get(self.conversation.dialogue)

    @property
    def step(self) -> Step | None:
        return self.dialogue.steps.get(self.conversation.step) if self.dialogue else None

    @property
    def choices(self) -> tuple[Choice, ...]:
        return choices_from_json(self.conversation.choices)

    @property
    def album(self) -> str | None:
        """The slot of what is said about an album: its pictures come one by one, and are answered as one."""
        return f"album-{self.incoming.group}" if self.incoming.group else None

    async def may_edit(self, slot: str) -> bool:
        """Whether an answer may change what was said before, which must be what the person looks at.

        A press is answered where it was made, as long as nothing was said below; what is typed or sent stands at the end of
        the chat, and so does its answer. One word for an album, or in a group, is never said twice.
        """
        if self.hurried or self.incoming.place == "group" or slot == self.album:
            return True
        return bool(self.incoming.choice) and await outbox.is_last(self.talk.session, self.talk.account, slot)

    # ------------------------------------------------------------------------------------------------ doing

    async def command(self, name: str, arg: str) -> None:
        command = self.talk.house.registry.commands.get(name)
        if command is None:
            raise Again("common.unknown")
        if command.joined and not self.talk.joined and not (command.own and self.talk.owner is not None):
            self.conversation.pending = {**self.conversation.pending, "command": name, "arg": arg}
            await self.move(self.talk.house.registry.joining, push=False)
            return
        before, first = self.draft_in_hand(), len(self.talk.out)
        move = await command.run(self.talk, arg)
        if move is not None:
            await self.move(move, push=move.dialogue == self.conversation.dialogue)
            if before and self.conversation.dialogue != before and not self.offers(before):
                self.talk.say("common.draft_kept", dialogue=before, what=self.talk.words(f"{before}.draft_name"))
                self.talk.out.insert(first, self.talk.out.pop())  # what is asked now stands last

    def offers(self, draft: str) -> bool:
        """Whether the screen has a way back to what was begun."""
        return any(choice.command == RESUME and choice.arg == draft for choice in self.choices)

    def draft_in_hand(self) -> str:
        draft, dialogue = self.talk.draft, self.dialogue
        return dialogue.name if dialogue is not None and draft is not None and dialogue.begun(draft.data) else ""

    async def pick(self, chosen: Choice) -> None:
        if chosen.command:
            await self.command(chosen.command, chosen.arg)
        elif chosen.key == "_back":
            await self.move(BACK)
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
            await self.ask(target, returning=bool(ahead))
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
        if self.step is not None and self.step.aside:
            return
        if self.conversation.step and (not state.history or state.history[-1] != self.conversation.step):
            state.history = [*state.history, self.conversation.step][-HISTORY:]

    def come_round(self, step: str) -> None:
        """A step that is met again is where it was: the way back does not lead through what was settled beyond it."""
        history = self.talk.state.history
        if step in history:
            self.talk.state.history = history[: history.index(step)]

    async def move(self, move: Move | str, *, push: bool = True) -> None:
        if isinstance(move, str):
            if push and move != self.conversation.step:
                self.push()
                self.come_round(move)
            await self.ask(move)
        elif move == AGAIN:
            await self.ask(self.conversation.step, in_place=bool(self.incoming.choice))
        elif move == BACK:
            await self.back()
        elif move == CANCEL:
            await self.cancel()
        elif move in (END, LEAVE):
            if move == END and self.talk.draft is not None:
                await self.talk.session.delete(self.talk.draft)
            self.idle()
        elif move.dialogue == self.conversation.dialogue and self.step is not None:
            self.talk.put(**move.data)
            await self.move(move.step or self.conversation.step, push=push)
        elif move != STAY:
            await self.start(move)

    async def start(self, move: Move) -> None:
        talk, dialogue = self.talk, self.talk.house.registry.dialogues[move.dialogue]
        step = first = move.step or next(iter(dialogue.steps))
        self.idle(dialogue.name, first)
        if dialogue.keeps_draft and talk.person is not None:
            draft = await accounts.open_draft(talk.session, talk.person.id, dialogue.name, first, talk.now)
            talk.draft, self.conversation.draft_id = draft, draft.id
            if draft.step not in dialogue.steps:
                # It is older than the questions: what is no longer asked begins again, with the answers there are.
                draft.step = next(iter(dialogue.steps))
                talk.say("common.form_changed")
            step = move.step or draft.step
        talk.put(**move.data)
        await self.ask(step)

    def idle(self, dialogue: str = "", step: str = "") -> None:
        """Nothing is asked; or a dialogue begins."""
        talk = self.conversation
        talk.dialogue, talk.step, talk.screen_kind, talk.draft_id = dialogue, step, "", None
        talk.data, talk.history, talk.ahead, talk.choices = {}, [], [], []
        self.talk.draft = None

    async def back(self) -> None:
        state = self.talk.state
        if turn_back(self.talk):
            await self.ask(self.conversation.step)
            return
        history = [name for name in state.history if self.dialogue and name in self.dialogue.steps]
        while history and history[-1] == self.conversation.step:
            history.pop()
        if not history:
            await self.command(self.talk.data.get("opened_by", "menu"), "")
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
                    if name not in ASIDE:
                        self.talk.draft.step = name
                previous = self.talk.data.get(name) if returning else None
                if isinstance(previous, str) and previous:
                    result = self.with_previous(result, previous)
                self.show(self.with_way_out(result, step.kind), step.kind, in_place=in_place)
                return
            if isinstance(result, Move):
                await self.move(result, push=False)
                return
            name = result
        raise RuntimeError(f"step {name} of {self.conversation.dialogue} redirects for ever")

    def with_previous(self, message: Message, previous: str) -> Message:
        words = self.talk.house.words
        keep = words.message("common.previous", previous="").choices  # last: the text may number the others
        if any(set(keep[0].words) <= set(choice.words) for choice in message.choices):
            return message  # the question shows its answer and keeps it by an option of its own
        shown = next((choice.label for choice in message.choices if choice.key == previous), previous)
        if len(message.choices) >= MAX_CHOICES:  # no room for one more; the same option keeps it with one tap too
            note = self.talk.words("common.previous_choice", previous=shown)
            return replace(message, text=f"{message.text}\n\n{note}")
        note = words.text("common.previous", previous=shown if len(shown) <= 120 else shown[:117] + "…")
        return replace(message, text=f"{message.text}\n\n{note}", choices=(*message.choices, *keep))

    def with_way_out(self, message: Message, kind: Kind) -> Message:
        """A question that has no button but those that answer it, or none at all, is left by one more."""
        if message.choices and not (kind.typed and OUT.isdisjoint(choice.key for choice in message.choices)):
            return message
        return replace(message, choices=(*message.choices, *self.talk.screen("common.back").choices))

    def show(self, message: Message, kind: Kind, *, in_place: bool = False) -> None:
        if len(message.choices) > MAX_CHOICES:
            raise ValueError(f"{message.key} shows {len(message.choices)} options; {MAX_CHOICES} fit a small phone")
        conversation = self.conversation
        if not in_place and not self.hurried:
            conversation.screen += 1
        conversation.choices = choices_to_json(message.choices)
        conversation.screen_kind = kind.value
        self.talk.out.append((replace(message, screen=conversation.screen), f"screen-{conversation.screen}", 0.0))
        self.shown = True

    async def question(self) -> str:
        """The first line of what is asked: something else may have been said below it."""
        asked = await outbox.standing(self.talk.session, self.talk.account, f"screen-{self.conversation.screen}")
        line = without_markup(asked["text"]).strip().partition("\n")[0] if asked is not None else ""
        return escape(line if len(line) <= RECALLED else f"{line[: RECALLED - 1].rstrip()}…", quote=False)

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
        newest = next((message for message, _, _ in reversed(self.talk.out) if message.choices), None)
        if newest is not None:
            beside = not newest.screen and all(choice.command for choice in newest.choices)
            self.conversation.said = choices_to_json(newest.choices) if beside else []
        if self.shown or self.conversation.dialogue or not self.talk.out:
            return
        message, slot, after = self.talk.out[-1]
        if message.choices and all(choice.command for choice in message.choices):
            self.conversation.said = []
            self.conversation.screen += 1
            self.conversation.choices = choices_to_json(message.choices)
            self.conversation.screen_kind = Kind.CHOICE.value
            self.talk.out[-1] = (replace(message, screen=self.conversation.screen), slot, after)

    async def refuse(self, refusal: Expected) -> None:
        """Says why not, with the current options at hand so that nobody has to scroll for them."""
        message = self.talk.screen(refusal.key, **refusal.params)
        if refusal.key in CHOOSE and (question := await self.question()):
            message = replace(message, text=f"{message.text}\n\n{question}")
        if self.choices and not message.choices:
            message = replace(message, choices=self.choices, screen=self.conversation.screen)
        self.talk.out.append((message, self.album, 0.0))
        self.shown = True
