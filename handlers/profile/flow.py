"""The profile's dialogue, to which its modules add their steps."""

from __future__ import annotations

from handlers.dialogue import Dialogue

dialogue = Dialogue("profile")
