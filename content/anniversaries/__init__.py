"""The anniversaries: their pack, which messages fall on which day, and the check of the years in an officer's text."""

from content.anniversaries.loading import YEARS, has_picture, load_anniversaries
from content.anniversaries.pack import ACTIVITY, Anniversary, AnniversaryPack, Button, Texts
from content.anniversaries.planning import Planned, planned
from content.ordinals import check_ordinals

__all__ = [
    "ACTIVITY",
    "YEARS",
    "Anniversary",
    "AnniversaryPack",
    "Button",
    "Planned",
    "Texts",
    "check_ordinals",
    "has_picture",
    "load_anniversaries",
    "planned",
]
