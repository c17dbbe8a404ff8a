"""Profile and data rights: what is kept, how to change it, take it along, stop it, delete it."""

from handlers.profile import hours, oneself, rights  # noqa: F401
from handlers.profile.flow import dialogue
from handlers.profile.oneself import TOPICS, read_name

DIALOGUES = (dialogue,)
COMMANDS = (*oneself.COMMANDS, *rights.COMMANDS)

__all__ = ["COMMANDS", "DIALOGUES", "TOPICS", "read_name"]
