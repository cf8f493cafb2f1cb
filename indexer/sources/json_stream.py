"""JSON of any length -> the objects in it, one after the other, in the memory of one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO

import ijson

from .origin import LARGEST, NotAnArticle, utf_8

DEEPEST = 200  # levels; an editor's document has some 20
_BOM = b"\xef\xbb\xbf"
_Event = tuple[str, Any]


def objects(stream: BinaryIO, path: str = "") -> Iterator[Any]:
    """What lies at `path`, such as `response.docs`: each item of a list, and all that stand one after the other.

    Raises:
        NotAnArticle: where it is no JSON, or one of them is far too large; what stood before was given.
    """
    return (found for _, found in objects_at(stream, (path,)))


def objects_at(stream: BinaryIO, paths: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """The same of several paths in one reading, each with its path."""
    source = _Source(utf_8(stream))
    wanted = {tuple(path.split(".")) if path else (): path for path in paths}
    where: list[str] = []
    try:
        # Not `ijson.items`: its prefix grows with the depth, and a kilobyte of brackets takes a gigabyte.
        events = source.watched(ijson.basic_parse(source, multiple_values=True))
        for event, value in events:
            if event == "map_key":
                where[-1] = value
            elif event == "end_map":
                where.pop()
            elif event not in ("start_array", "end_array"):
                if len(where) <= DEEPEST and (path := wanted.get(tuple(where))) is not None:
                    yield path, _value(event, value, events)
                elif event == "start_map":
                    where.append("")
    except NotAnArticle:
        raise
    except (ijson.JSONError, ValueError, SystemError) as error:  # SystemError: a number of more than 4,300 digits
        raise NotAnArticle(f"not JSON: {_said(error)}") from None


class _Source:
    """A stream that is not read on for ever while one value of it lasts."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._since = 0  # bytes since the last event
        self._is_first = True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        if self._is_first and size:
            data, self._is_first = data.removeprefix(_BOM), False
            data = data or self._stream.read(size)
        self._since += len(data)
        if self._since > LARGEST:
            raise NotAnArticle(f"a value larger than {LARGEST // 2**20} MiB, which no article has")
        return data

    def watched(self, events: Iterator[_Event]) -> Iterator[_Event]:
        for event in events:
            self._since = 0
            yield event


def _value(event: str, value: Any, events: Iterator[_Event]) -> Any:
    """The value that begins with this event."""
    if event != "start_map":
        return _plain(value)
    top: dict[str, Any] = {}
    above: list[Any] = [top]
    key: list[str] = [""]  # of each level
    length = 0
    for event, value in events:
        if event == "map_key":
            key[-1] = value
            continue
        if event in ("end_map", "end_array"):
            above.pop()
            key.pop()
            if not above:
                return top
            continue
        new: Any = {} if event == "start_map" else [] if event == "start_array" else _plain(value)
        holder = above[-1]
        if isinstance(holder, list):
            holder.append(new)
        else:
            holder[key[-1]] = new
        if event in ("start_map", "start_array"):
            above.append(new)
            key.append("")
            if len(above) > DEEPEST:
                raise NotAnArticle("not an article: nested too deeply")
        elif isinstance(new, str):
            length += len(new)
        length += 1
        if length > LARGEST:
            raise NotAnArticle(f"an entry larger than {LARGEST // 2**20} MiB, which no article is")
    return top


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _said(error: Exception) -> str:
    text = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else str(error)
    return text.split("\n")[0].strip().removesuffix(".")
