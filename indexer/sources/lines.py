"""Lines of text: the paragraphs of a dump, which of them are prose, and what two spellings have in common."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

LONG = 25  # words: shorter paragraphs are as often subheads, teasers and captions
SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*\s+[\"'“‘(\[]?[^\W\d_a-z]")


def paragraphs(text: str) -> list[str]:
    """The paragraphs: a line each, unless the text is wrapped at a width; then the lines between empty ones."""
    text = unicodedata.normalize("NFC", text).translate(_SPACES)
    blocks = [[" ".join(line.split()) for line in block.split("\n") if line.strip()] for block in _EMPTY.split(text)]
    wrapped = _is_wrapped([len(line) for block in blocks for line in block[:-1]])
    return [line for block in blocks for line in ([" ".join(block)] if wrapped and _joins(block) else block)]


_EMPTY = re.compile(r"\n\s*\n")
# Spaces of every kind are spaces; what has no width is nothing.
_SPACES = {ord(c): " " for c in "\u00a0\u202f\u2007\u2009\t\f\v"} | {
    ord(c): None for c in "\u200b\u2060\ufeff\u00ad\x1a\x1b"
}


def _is_wrapped(widths: Sequence[int]) -> bool:
    """Lines inside paragraphs that are nearly all of one width were broken by a program, not by a person."""
    wide = [width for width in widths if 45 <= width <= 120]
    return len(wide) >= 3 and len(wide) >= 0.7 * len(widths)


def _joins(block: Sequence[str]) -> bool:
    return len(block) > 1 and all(len(line) >= 45 for line in block[:-1])


def key(text: str) -> str:
    """What two spellings of the same text have in common: their letters and digits."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def count(line: str) -> int:
    return len(line.split())


def is_prose(line: str) -> bool:
    return count(line) >= LONG or (count(line) >= 15 and SENTENCE.search(line) is not None)
