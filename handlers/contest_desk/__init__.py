"""The officers' side of contests: writing them, their approval, steering rounds that run, and what comes after."""

from handlers.contest_desk import approving, files, form, home, steering
from handlers.contest_desk.flow import dialogue

DIALOGUES = (dialogue, form.dialogue)
OFFICER_WORK = (approving.waiting,)
COMMANDS = (*home.COMMANDS, *form.COMMANDS, *files.COMMANDS, *approving.COMMANDS, *steering.COMMANDS)
