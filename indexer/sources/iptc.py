"""What the formats of the IPTC have in common: who wrote it, whether it may be published, what it is about."""

from __future__ import annotations

import re

from . import head
from .origin import NotAnArticle

# How agencies say it, and what it is here. What is withheld or called back is kept, and hidden.
_STATUS = {
    "usable": "live",
    "embargoed": "live",
    "withheld": "withdrawn",
    "canceled": "withdrawn",
    "cancelled": "withdrawn",
}
_BY = re.compile(r"^(?:by|von|par|por|di|av|af|door)\s+", re.I)
_AGENCY = re.compile(r"/\S+")  # Ana Lima/TT
# The 17 subjects at the top of the media topics, and of the subject codes before them: 15000000 is sport.
_TOP = re.compile(r"(?:.*[:/])?(?:0[1-9]|1[0-7])000000")


def status(text: str, name: str) -> str:
    """The status of an article, of what a field of this name says.

    Raises:
        NotAnArticle: for one that nobody knows; to take it for `usable` might be too early.
    """
    if (known := text.lower() or "usable") not in _STATUS:
        raise NotAnArticle(f"{name} {text!r} is none of {', '.join(_STATUS)}")
    return _STATUS[known]


def authors(byline: str) -> list[str]:
    """The names in a byline, without offices and agencies; where none looks like one, what it says."""
    line = _AGENCY.sub("", _BY.sub("", " ".join(byline.split()), count=1)).strip()
    return head.names(line) or [line] * bool(line)


def is_top(code: str) -> bool:
    """Whether it is a subject of the top level, which newspapers have as sections."""
    return _TOP.fullmatch(code) is not None
