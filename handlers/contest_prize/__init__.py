"""A prize on its way: the winner's phone, the union's word for its member, sent, received, or taken on to the next person."""

from handlers.contest_prize import desk, union, winner
from handlers.contest_prize.flow import dialogue

DIALOGUES = (dialogue,)
OFFICER_WORK = (union.waiting, desk.waiting)
COMMANDS = (*winner.COMMANDS, *union.COMMANDS, *desk.COMMANDS)
