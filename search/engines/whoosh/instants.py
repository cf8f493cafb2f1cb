"""Instants as the index and the store have them: microseconds since 1970, and texts that sort as they do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

NONE = np.iinfo(np.int64).min  # no date
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000


def micros(moment: datetime | None) -> int:
    """Microseconds since 1970, exactly; NONE for no date."""
    return int(NONE) if moment is None else (moment - EPOCH) // timedelta(microseconds=1)


def moment(value: int) -> datetime | None:
    """What `micros` was made of."""
    return None if value == NONE else EPOCH + timedelta(microseconds=value)


def text(moment: datetime) -> str:
    """Of one width, so that the order of the texts is that of the instants."""
    return moment.isoformat(timespec="microseconds")
