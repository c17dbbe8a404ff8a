"""The author's side of a submission: send, supplement, withdraw, reopen, send again; and where it goes."""

from db.submissions.changing import WITHDRAWABLE, answer_coauthor, note_event, remind, reopen, withdraw
from db.submissions.reading import (
    compared,
    count_waiting,
    find_own,
    list_coauthors,
    list_colleagues,
    list_events,
    list_files,
    list_own,
    texts_to_compare,
    waits_for,
)
from db.submissions.routing import bearers, involved, receivers, route
from db.submissions.sending import REVIEW_DAYS, Report, send_again, submit, supplement

__all__ = [
    "REVIEW_DAYS",
    "WITHDRAWABLE",
    "Report",
    "answer_coauthor",
    "bearers",
    "compared",
    "count_waiting",
    "find_own",
    "involved",
    "list_coauthors",
    "list_colleagues",
    "list_events",
    "list_files",
    "list_own",
    "note_event",
    "receivers",
    "remind",
    "reopen",
    "route",
    "send_again",
    "submit",
    "supplement",
    "texts_to_compare",
    "waits_for",
    "withdraw",
]
