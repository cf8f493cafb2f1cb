"""Takedowns that hold already and are not in the store yet: while a run is undone, it can be locked for a minute.

DIR/takedowns.ahead   a JSON list; there while a command waits for the store, or after it was killed there
"""

from __future__ import annotations

import json
import os
import pwd
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from search.engines import EngineUnavailable
from search.engines.whoosh import durable
from search.engines.whoosh.instants import text

FILE = "takedowns.ahead"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be hidden, by an id or an address, and why; when it was said, and by whom."""

    named: str
    reason: str
    at: str
    who: str


def order(named: str, reason: str) -> Order:
    """An order of now."""
    return Order(named, reason, text(datetime.now(UTC)), who())


def read(folder: Path) -> list[Order]:
    """Those that are not in the store yet, oldest first."""
    try:
        return [Order(**data) for data in json.loads((folder / FILE).read_bytes())]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as problem:
        raise EngineUnavailable(
            f"{folder / FILE} cannot be read ({problem}): `broadsheet takedowns --log` says what was taken down;"
            " take down again what is missing, after removing the file"
        ) from problem


def write(folder: Path, orders: Sequence[Order]) -> None:
    """These, and no others. Hold the lock of takedowns."""
    if orders:
        durable.write(folder / FILE, json.dumps([asdict(one) for one in orders]).encode())
    else:
        (folder / FILE).unlink(missing_ok=True)


def who() -> str:
    """The user that the system knows, whatever the environment says, and the host."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container a user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
