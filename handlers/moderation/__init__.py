"""The moderation queue: what waits, the card of one report, and the decisions on it."""

from handlers.moderation import card, deciding, duplicates, picking, queue, reading, writing  # noqa: F401
from handlers.moderation.flow import dialogue

DIALOGUES = (dialogue,)
COMMANDS = (
    *queue.COMMANDS,
    *card.COMMANDS,
    *reading.COMMANDS,
    *deciding.COMMANDS,
    *writing.COMMANDS,
    *duplicates.COMMANDS,
)
OFFICER_WORK = (queue.waiting, queue.questions)
