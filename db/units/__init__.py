"""The union's tree: units, their names old and new, and who stands under whom."""

from db.units.reading import (
    ancestors,
    below,
    children,
    count_people,
    find_by_code,
    find_request,
    full_name,
    get,
    list_at,
    names,
    old_name_since,
    parent_name,
    parents_by_code,
    places,
    top,
    zones,
)
from db.units.writing import UnitRow, Written, create, write

__all__ = [
    "UnitRow",
    "Written",
    "ancestors",
    "below",
    "children",
    "count_people",
    "create",
    "find_by_code",
    "find_request",
    "full_name",
    "get",
    "list_at",
    "names",
    "old_name_since",
    "parent_name",
    "parents_by_code",
    "places",
    "top",
    "write",
    "zones",
]
