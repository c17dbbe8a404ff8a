"""Reporting an initiative, a good practice or a good deed from a phone, one question at a time."""

from handlers.report import extras, preview, steps
from handlers.report.flow import dialogue

DIALOGUES = (dialogue,)
COMMANDS = (*steps.COMMANDS, *preview.COMMANDS)

__all__ = ["COMMANDS", "DIALOGUES", "extras"]
