"""Prefer the fresh where the subject is in the news: where more of what matches is of the last days than usual.

Of n dated articles that match, k are of the last w days (counted from the newest article that there is), and of all
visible articles the share q. If the subject were no news, k would be near n q; how far it is from that is told by the
likelihood ratio (Dunning, "Accurate Methods for the Statistics of Surprise and Coincidence", 1993),

    G = k ln(k / (n q)) + (n - k) ln((n - k) / (n (1 - q)))

The window of greatest G is the half-life: days where a story broke this week, months where it has gone on for long. If
G is at least FRESH_SURPRISE, and k at least twice what was to be expected, scores are multiplied by

    1 + FRESH * (1 - q / (k / n)) * 2 ** (-age / w)

In the archive, where nothing is surprising, age costs nothing. What has no date gains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.engines.whoosh.instants import DAY, NONE
from search.engines.whoosh.snapshot import Snapshot, Visible

FRESHNESS = "freshness"  # the step of the ranking

Factors = NDArray[np.float64]


def factors(snapshot: Snapshot, visible: Visible, docs: Sequence[NDArray[np.int64]]) -> Factors | None:
    """What the score of each of these documents, one segment after the other, is multiplied by; None if it is 1."""
    if visible.newest == NONE:
        return None
    published = [view.arrays["doc.published"].take(found) for view, found in zip(snapshot.views, docs, strict=True)]
    together = published[0] if len(published) == 1 else np.concatenate(published)
    windows = [days * DAY for days in fields.FRESH_DAYS]
    fresh = together[(together >= visible.newest - windows[-1]).nonzero()[0]]
    fresh = fresh[fresh <= visible.newest]
    if len(fresh) < fields.FRESH_FEWEST:
        return None
    dated = int(np.count_nonzero((together != NONE) & (together <= visible.newest)))
    surprise, strength, half_life = max(
        (*_burst(int(np.count_nonzero(fresh >= visible.newest - window)), dated, share), window)
        for window, share in zip(windows, visible.fresh, strict=True)
    )
    if surprise < fields.FRESH_SURPRISE:
        return None
    # What is older than a hundred half-lives gains nothing that could be seen, nor what has a date to come.
    oldest = visible.newest - 100 * half_life
    ages = visible.newest - np.where(together <= visible.newest, np.maximum(together, oldest), oldest)
    found: Factors = 1 + fields.FRESH * strength * np.exp2(-ages / half_life)
    return found


def _burst(k: int, n: int, q: float) -> tuple[float, float]:
    """How surprising so many of a window are, and what part of them is more than was to be expected."""
    if k < fields.FRESH_FEWEST or k < 2 * n * q:
        return 0.0, 0.0
    rest = (n - k) * log((n - k) / (n * (1 - q))) if k < n else 0.0
    return k * log(k / (n * q)) + rest, 1 - n * q / k
