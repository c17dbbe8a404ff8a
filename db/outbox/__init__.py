"""What goes out: the one way for everything said, claimed before it is sent and settled after."""

from db.outbox.keeping import LONG, catch_up, counts, hold_unfinished, recover, tidy
from db.outbox.saying import channels, drop_slot, is_last, put, put_off_notices, standing, tell, wait_of, was_said
from db.outbox.sending import MAX_DOUBTFUL, Ask, Parcel, Settlement, called_back, claim, next_due, oldest, settle

__all__ = [
    "LONG",
    "MAX_DOUBTFUL",
    "Ask",
    "Parcel",
    "Settlement",
    "called_back",
    "catch_up",
    "channels",
    "claim",
    "counts",
    "drop_slot",
    "hold_unfinished",
    "is_last",
    "next_due",
    "oldest",
    "put",
    "put_off_notices",
    "recover",
    "settle",
    "standing",
    "tell",
    "tidy",
    "wait_of",
    "was_said",
]
