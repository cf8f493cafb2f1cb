"""Settings of the service, read from the environment: `BROADSHEET_<NAME>` for each field of Settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from web.language import Language

PREFIX = "BROADSHEET_"


class SettingsError(ValueError):
    """A setting has no usable value; the message names the variable and the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one service runs. Every field is described in docs/settings.md."""

    index: str = "whoosh:var/index"
    title: str = "Broadsheet"
    home: str | None = None
    url: str | None = None
    language: str = "en-GB"
    theme: Path | None = None
    logo: Path | None = None
    templates: Path | None = None
    images: tuple[str, ...] | None = None
    timezone: tzinfo = UTC
    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 8


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this environment; a variable that is unset or blank leaves the default.

    Raises:
        SettingsError: for the first variable whose value cannot be used.
    """
    values: dict[str, Any] = {}
    for field in fields(Settings):
        variable = PREFIX + field.name.upper()
        text = environ.get(variable, "").strip()
        if text:
            try:
                values[field.name] = _READERS[field.name](text)
            except ValueError as problem:
                raise SettingsError(f"{variable}={text!r}: {problem}") from None
    return Settings(**values)


def _number(least: int, most: int) -> Callable[[str], int]:
    def read_number(text: str) -> int:
        if text.isascii() and text.isdigit() and least <= int(text) <= most:
            return int(text)
        raise ValueError(f"write a whole number from {least} to {most}")

    return read_number


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("write an address with its scheme, such as https://news.example")
    return text.rstrip("/")


def _language(text: str) -> str:
    return Language(text).tag


def _file(*kinds: str) -> Callable[[str], Path]:
    def read_file(text: str) -> Path:
        path = Path(text)
        if not path.is_file():
            raise ValueError("there is no such file")
        if path.suffix.lower() not in kinds:
            raise ValueError(f"name a file that ends in {', '.join(kinds)}")
        return path

    return read_file


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise ValueError("there is no such folder")
    return path


def _origins(text: str) -> tuple[str, ...]:
    """Where images may come from: scheme and host of each."""
    found = []
    for part in text.split():
        parts = urlsplit(_address(part))
        if parts.path or parts.query or ";" in part or "," in part:
            raise ValueError("write scheme and host alone, with spaces between several, such as https://images.example")
        found.append(f"{parts.scheme}://{parts.netloc}".lower())
    return tuple(found)


def _timezone(text: str) -> tzinfo:
    try:
        return UTC if text == "UTC" else ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("write a name of the IANA database, such as Europe/London or UTC") from None


_READERS: dict[str, Callable[[str], Any]] = {
    "index": str,
    "title": str,
    "home": _address,
    "url": _address,
    "language": _language,
    "theme": _file(".css"),
    "logo": _file(".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif"),
    "templates": _folder,
    "images": _origins,
    "timezone": _timezone,
    "host": str,
    "port": _number(0, 65535),  # 0: any that is free
    "threads": _number(1, 256),
}
