"""Announcements: composing and sending, steering what is on its way, stopping everything, rereading."""

from handlers.announcing import compose, rereading, steering, timing
from handlers.announcing.flow import dialogue

DIALOGUES = (dialogue, steering.dialogue, rereading.dialogue)
COMMANDS = (*compose.COMMANDS, *steering.COMMANDS, *rereading.COMMANDS)

__all__ = ["COMMANDS", "DIALOGUES", "timing"]
