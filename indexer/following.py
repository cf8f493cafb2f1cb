"""What is told while paths are followed: what is new, once, and the totals at the end."""

from __future__ import annotations

from indexer import telling
from indexer.events import COUNTED, Values
from indexer.report import Report
from indexer.telling import Teller
from search.cli import DONE

MOST_SAID = 10_000  # refusals and notes that are known to have been said; of more the oldest are said again


class Following:
    """Tells what was done of each path, as `watch` wants it."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._said: dict[tuple[object, ...], None] = {}
        self._totals = dict.fromkeys((*COUNTED, "refused"), 0)
        self._polled: set[str] = set()

    def polled(self, path: str, report: Report) -> None:
        """What is new since the last time."""
        counts = telling.counts(report)
        counts["refused"] = 0
        for event, values in telling.events(report):
            if self._is_new(event, values):
                counts["refused"] += event == "refused"
                self._teller.tell(event, values)
        if path in self._polled:
            counts["unchanged"] = 0  # the same articles as the last time
        self._polled.add(path)
        if any(counts.values()):
            self._teller.tell("followed", {"path": path, **counts})
        for name, count in counts.items():
            self._totals[name] += count

    def failed(self, path: str, problem: BaseException, again: float) -> None:
        """That nothing could be done, this time."""
        self._teller.tell("poll_failed", {"path": path, "reason": str(problem), "again": round(again)})

    def totals(self) -> None:
        """What was done in all."""
        self._teller.tell("done", {**self._totals, "generation": None, "code": DONE})

    def _is_new(self, event: str, values: Values) -> bool:
        key = (event, *(values.get(name) for name in ("file", "line", "reason", "note", "path", "run")))
        is_new = key not in self._said
        self._said[key] = None
        if len(self._said) > MOST_SAID:
            del self._said[next(iter(self._said))]
        return is_new
