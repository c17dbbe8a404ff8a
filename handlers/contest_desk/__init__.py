"""The officers' side of contests: writing them, their approval, steering rounds that run, and what comes after."""

from handlers.contest_desk import after, approving, downtime, excluding, files, form, home, report, steering, voiding
from handlers.contest_desk.flow import dialogue

DIALOGUES = (dialogue, form.dialogue)
OFFICER_WORK = (approving.waiting, after.waiting)
COMMANDS = (
    *home.COMMANDS,
    *form.COMMANDS,
    *files.COMMANDS,
    *approving.COMMANDS,
    *steering.COMMANDS,
    *downtime.COMMANDS,
    *after.COMMANDS,
    *voiding.COMMANDS,
    *excluding.COMMANDS,
    *report.COMMANDS,
)
