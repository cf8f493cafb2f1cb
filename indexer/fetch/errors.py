"""What goes wrong when something is fetched."""

from __future__ import annotations


class FetchError(Exception):
    """What lies at an address could not be had, and why. `again`: seconds that the server asks to wait."""

    def __init__(self, reason: str, status: int | None = None, again: float = 0.0) -> None:
        super().__init__(reason)
        self.status = status
        self.again = again
