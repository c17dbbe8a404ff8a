"""The anniversaries: their pack, which messages fall on which day, and the check of the years in an officer's text."""

from content.anniversaries.loading import YEARS, load_anniversaries
from content.anniversaries.pack import Anniversary, AnniversaryPack, Button, Texts
from content.anniversaries.planning import Planned, planned
from content.ordinals import check_ordinals

__all__ = [
    "YEARS",
    "Anniversary",
    "AnniversaryPack",
    "Button",
    "Planned",
    "Texts",
    "check_ordinals",
    "load_anniversaries",
    "planned",
]
