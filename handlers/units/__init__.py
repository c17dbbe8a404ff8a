"""Units and roles: inviting, confirming, taking away, who belongs here, workplaces people typed, QR codes."""

from handlers.units import inviting, members, qr, revoking, workplaces
from handlers.units.flow import COMMANDS as HOME
from handlers.units.flow import dialogue

DIALOGUES = (dialogue,)
OFFICER_WORK = (members.waiting, workplaces.waiting)
COMMANDS = (*HOME, *inviting.COMMANDS, *revoking.COMMANDS)

__all__ = ["COMMANDS", "DIALOGUES", "OFFICER_WORK", "qr"]
