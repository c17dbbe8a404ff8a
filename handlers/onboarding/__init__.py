"""Joining: what the union keeps and why, the workplace, the audience group, reminders and shift."""

from handlers.onboarding import entry, oneself, workplace
from handlers.onboarding.entry import open_to_all
from handlers.onboarding.flow import dialogue, missing

DIALOGUES = (dialogue,)
COMMANDS = entry.COMMANDS
JOINING = dialogue.go("start")

__all__ = ["COMMANDS", "DIALOGUES", "JOINING", "dialogue", "missing", "oneself", "open_to_all", "workplace"]
