"""Reporting an initiative, a good practice or a good deed from a phone, one question at a time."""

from handlers.report import entry, extras, files, good_deed, preview, result, sending, steps
from handlers.report.flow import dialogue

DIALOGUES = (dialogue,)
COMMANDS = (*entry.COMMANDS, *sending.COMMANDS)

__all__ = ["COMMANDS", "DIALOGUES", "extras", "files", "good_deed", "preview", "result", "steps"]
