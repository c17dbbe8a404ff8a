"""The moderation queue: what waits, the card of one report, and the decisions on it."""

from handlers.moderation import card, deciding, queue
from handlers.moderation.flow import dialogue

DIALOGUES = (dialogue,)
COMMANDS = (*queue.COMMANDS, *card.COMMANDS, *deciding.COMMANDS)
OFFICER_WORK = (queue.waiting,)
