"""One send and how it ended: whatever a channel answers becomes what is written down about the message."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from content.message import from_json
from db.models import OutState
from db.outbox import Parcel, Settlement
from scheduler.delivery.errors import (
    Ambiguous,
    Channel,
    EditGone,
    NotModified,
    RecipientGone,
    Rejected,
    RetryLater,
)

log = logging.getLogger(__name__)


async def attempt(
    channel: Channel, parcel: Parcel, now: Callable[[], datetime]
) -> tuple[Settlement, RetryLater | None]:
    """Sends once, or edits what was sent. Returns how it ended, and the platform's wish to be left alone if it has one."""
    edits = parcel.edits
    if edits and not channel.can_edit:
        if not parcel.payload.get("final", True):
            return Settlement(parcel.id, parcel.claim, OutState.SENT), None
        edits = ""
    try:
        message = from_json(parcel.payload)
        try:
            provider_id = await channel.send(parcel.address, message, edits=edits, lane=parcel.lane)
        except NotModified:
            provider_id = edits
        except EditGone:
            provider_id = await channel.send(parcel.address, message, edits="", lane=parcel.lane)
    except RetryLater as error:
        again = now() + timedelta(seconds=error.after)
        return Settlement(parcel.id, parcel.claim, OutState.READY, error=str(error), not_before=again), error
    except RecipientGone as error:
        return Settlement(parcel.id, parcel.claim, OutState.FAILED, error=str(error) or "gone", gone=True), None
    except Rejected as error:
        return Settlement(parcel.id, parcel.claim, OutState.FAILED, error=str(error)), None
    except Ambiguous as error:
        log.warning("outbox %d: in doubt after %s", parcel.id, error)
        return _doubtful(parcel, str(error), now()), None
    except Exception as error:
        # Whatever it was, the request may have left: the same care as for a broken connection.
        log.exception("outbox %d: the channel failed", parcel.id)
        return _doubtful(parcel, type(error).__name__, now()), None
    return Settlement(parcel.id, parcel.claim, OutState.SENT, provider_id=provider_id), None


def _doubtful(parcel: Parcel, error: str, now: datetime) -> Settlement:
    again = now + timedelta(seconds=2)
    return Settlement(
        parcel.id, parcel.claim, OutState.UNKNOWN, error=f"in doubt: {error}", not_before=again, doubtful=True
    )
