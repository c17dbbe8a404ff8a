"""What a person has sent: where it stands, what they may still do with it, and what they say about it."""

from handlers.mysubmissions import asking, flow, taking_back
from handlers.mysubmissions.flow import dialogue, needs_info

DIALOGUES = (dialogue,)
WAITING = (needs_info,)
COMMANDS = (*flow.COMMANDS, *taking_back.COMMANDS, *asking.COMMANDS)
