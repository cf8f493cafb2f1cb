"""What the folders of an Eleventy site say of all files in them (https://www.11ty.dev/docs/data-template-dir/)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

LARGEST = 2**20  # bytes; such a file names a layout and some tags
Data = Mapping[str, Any]


class Folders:
    """The data of folders, each read once."""

    def __init__(self) -> None:
        self._of = lru_cache(maxsize=256)(self._read)

    def of(self, file: Path, below: str) -> Data:
        """What the folders of a file say, from the one that was given on (`below` is the way from there)."""
        data: dict[str, Any] = {}
        for up in range(len(PurePosixPath(below).parts) - 1, -1, -1):
            data = merged(data, self._of(file.parents[up]))
        return data

    def _read(self, folder: Path) -> Data:
        name = folder.resolve().name
        data: dict[str, Any] = {}
        for ending in (".json", ".11tydata.json"):
            try:
                with (folder / f"{name}{ending}").open("rb") as file:
                    said = json.loads(file.read(LARGEST))
            except (OSError, ValueError, RecursionError):  # none, or of something else
                continue
            if isinstance(said, dict) and not {"title", "body"} <= said.keys():  # an article is no data
                data = merged(data, {key.lower(): value for key, value in said.items()})
        # The name of a collection is no tag of its articles: tags "posts" or "post" in the folder posts.
        own = {name.lower(), name.lower().removesuffix("s")}
        if tags := [tag for tag in _list(data.pop("tags", ())) if str(tag).lower() not in own]:
            data["tags"] = tags
        return data


def merged(above: Data, below: Data) -> dict[str, Any]:
    """The data of both: what stands nearer to the file wins, tags of both hold."""
    data = {**above, **below}
    if "tags" in above and "tags" in below:
        data["tags"] = list(dict.fromkeys(str(tag) for tag in (*_list(above["tags"]), *_list(below["tags"]))))
    return data


def _list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list | tuple) else []
