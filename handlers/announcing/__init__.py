"""Announcements: composing and sending, the second person, steering what is on its way, stopping everything, rereading."""

from handlers.announcing import (
    approving,
    audience,
    card,
    compose,
    lifting,
    rereading,
    steering,
    stopping,
    timing,
    writing,
)
from handlers.announcing.flow import dialogue

DIALOGUES = (dialogue, card.dialogue, stopping.dialogue, rereading.dialogue)
COMMANDS = (
    *compose.COMMANDS,
    *approving.COMMANDS,
    *card.COMMANDS,
    *steering.COMMANDS,
    *lifting.COMMANDS,
    *stopping.COMMANDS,
    *rereading.COMMANDS,
)
OFFICER_WORK = (lifting.stands, approving.waiting)

__all__ = ["COMMANDS", "DIALOGUES", "OFFICER_WORK", "audience", "timing", "writing"]
