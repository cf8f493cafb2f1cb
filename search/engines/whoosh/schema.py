"""The Whoosh schema of a generation, from the one table of fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whoosh import columns
from whoosh.analysis import Token, Tokenizer
from whoosh.fields import COLUMN, STORED, TEXT, Schema

from search import analysis, fields


class Stems(Tokenizer):  # type: ignore[misc]
    """Our analysis in Whoosh's terms, so that its own query parser finds what was indexed.

    The schema that lies in every index holds this class by its path.
    """

    def __call__(self, value: str, **_: Any) -> Iterator[Token]:
        token = Token()
        for word in analysis.tokens(value):
            token.text, token.original = word.stem, value[word.start : word.end]
            token.pos, token.startchar, token.endchar = word.position, word.start, word.end
            token.stopped, token.boost = False, 1.0
            yield token


def schema() -> Schema:
    """Searched fields by stem, with positions; the date as a column; the id stored. The text lies in the store."""
    words = {field.name: TEXT(analyzer=Stems(), phrase=True) for field in fields.SEARCHED}
    return Schema(id=STORED, published=COLUMN(columns.NumericColumn("q")), **words)
