"""The weekly contest as its members meet it: a look, a paper on the clock, the receipt, and what came of it."""

from handlers.contest import after, home, paper, reminding  # noqa: F401
from handlers.contest.flow import dialogue
from handlers.contest.home import waiting

DIALOGUES = (dialogue,)
WAITING = (waiting,)
COMMANDS = (*home.COMMANDS, *reminding.COMMANDS, *after.COMMANDS)
