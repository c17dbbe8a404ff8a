"""The anniversaries: their pack, which messages fall on which day, and the check of the years in an officer's text."""

from content.anniversaries.loading import LINES, LONGEST, YEARS, has_picture, load_anniversaries
from content.anniversaries.pack import ACTIVITY, Anniversary, AnniversaryPack, Button, Texts, YearRelease
from content.anniversaries.planning import NEW_YEAR, Planned, ordinal_of, planned, span
from content.ordinals import check_ordinals

__all__ = [
    "ACTIVITY",
    "LINES",
    "LONGEST",
    "NEW_YEAR",
    "YEARS",
    "Anniversary",
    "AnniversaryPack",
    "Button",
    "Planned",
    "Texts",
    "YearRelease",
    "check_ordinals",
    "has_picture",
    "load_anniversaries",
    "ordinal_of",
    "planned",
    "span",
]
