"""What reading gives beside articles and refusals: that nothing changed, that something is gone."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.sources import Read, Refused


@dataclass(frozen=True, slots=True)
class Known:
    """These articles are as they were: nothing was fetched, or nothing new."""

    file: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """The site says that these are gone for good (410)."""

    file: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """What an address is."""

    file: str
    pages: int = 0  # that it lists, if it is a sitemap
    newest: bool = False  # only its newest articles stand there: what is not there is not gone
    again: float = 0.0  # seconds for which it asks not to be asked again


@dataclass(frozen=True, slots=True)
class Remark:
    """What the report should say, of no article."""

    file: str
    text: str


Item = Read | Refused | Known | Gone | Listing | Remark
