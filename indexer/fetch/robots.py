"""What the robots.txt of a site allows us (RFC 9309)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protego import Protego

from .errors import FetchError

ROBOT = "Broadsheet"
LARGEST = 500 * 1024  # bytes: what is behind them need not be read (2.5)
HOLDS, FAILED = 24 * 3600.0, 300.0  # seconds that the rules hold (2.4); that their failure does
SLOWEST = 60.0  # seconds between two requests: a larger Crawl-delay is for the whole web, not for one site's own search


@dataclass(frozen=True, slots=True)
class _Rules:
    rules: Protego | None  # None where they cannot be read, which forbids everything (2.3.1.4)
    until: float
    problem: str = ""


class Robots:
    """The rules of every site that is asked. `get` fetches a robots.txt; it may raise FetchError."""

    def __init__(self, get: Callable[[str], bytes], clock: Callable[[], float]) -> None:
        self._get = get
        self._clock = clock
        self._sites: dict[str, _Rules] = {}

    def permitted(self, site: str, url: str) -> float:
        """The seconds between two requests that the site wants. Raises FetchError where it forbids this one."""
        found = self._of(site)
        if found.rules is None:
            raise FetchError(found.problem)
        if not found.rules.can_fetch(url, ROBOT):
            raise FetchError(f"robots.txt of the site forbids it (there, allow it to the user-agent {ROBOT})")
        return min(found.rules.crawl_delay(ROBOT) or 0.0, SLOWEST)

    def sitemaps(self, site: str) -> list[str]:
        """The sitemaps that it names; none where it cannot be read."""
        rules = self._of(site).rules
        return list(rules.sitemaps) if rules else []

    def _of(self, site: str) -> _Rules:
        now = self._clock()
        if site not in self._sites or self._sites[site].until < now:
            try:
                text = self._get(f"{site}/robots.txt")[:LARGEST].decode("utf-8", "replace")
                self._sites[site] = _Rules(Protego.parse(text), now + HOLDS)
            except FetchError as problem:
                self._sites[site] = _without(problem, now)
        return self._sites[site]


def _without(problem: FetchError, now: float) -> _Rules:
    """Where there is none, nothing is forbidden; where it fails, everything is (2.3.1)."""
    if problem.status is None:  # a site that is not there has no rules to speak of
        return _Rules(None, now + FAILED, str(problem))
    if 400 <= problem.status < 500 and problem.status != 429:
        return _Rules(Protego.parse(""), now + HOLDS)
    return _Rules(None, now + FAILED, f"robots.txt of the site cannot be read, which forbids everything: {problem}")
