"""The calendar of content, and tomorrow's automatic messages: the officer on duty lets them go, rewrites or stops them."""

from handlers.automatic import deciding, planning, rewriting
from handlers.automatic.flow import dialogue, waiting

DIALOGUES = (dialogue,)
COMMANDS = (*planning.COMMANDS, *deciding.COMMANDS, *rewriting.COMMANDS)
OFFICER_WORK = (waiting,)
