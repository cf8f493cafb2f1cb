"""The posting codec: a segment of flat arrays that Whoosh reads as one of its own.

Segments are written by `writer`, whole, and evaluated by `evaluate`, over arrays. What stands here lets stock Whoosh
open the same files: `whoosh.index.open_dir(folder).searcher().search(...)`. The table of contents of every index names
these classes by their path: it changes with `generations.FORMAT` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.codec.base import Codec, PerDocumentReader, TermsReader
from whoosh.codec.base import Segment as BaseSegment
from whoosh.filedb.structfile import BufferFile
from whoosh.matching import ListMatcher
from whoosh.reading import TermInfo, TermNotFound

from search.engines.whoosh.arrays import Array, Arrays, Strings
from search.engines.whoosh.postings import FIELD_NAMES, FIELDS, Postings
from search.engines.whoosh.words import Words

EXTENSION = ".arr"


class Segment(BaseSegment):  # type: ignore[misc]
    """One file of arrays and the documents deleted of it, as the table of contents names them.

    `applied` is the store's sequence number up to which the commit that wrote the table holds everything.
    """

    def __init__(self, indexname: str, doccount: int) -> None:
        super().__init__(indexname)
        self.doccount = doccount
        self.deleted: set[int] = set()
        self.applied = 0

    def codec(self) -> ArrayCodec:
        return ArrayCodec()

    def file(self, folder: Path) -> Path:
        """Where its arrays lie, in the folder of the generation."""
        return folder / str(self.make_filename(EXTENSION))

    def live(self) -> NDArray[np.bool_]:
        """Which documents are not deleted."""
        mask = np.ones(self.doccount, dtype=bool)
        mask[np.fromiter(self.deleted, dtype=np.int64, count=len(self.deleted))] = False
        return mask

    def doc_count_all(self) -> int:
        return self.doccount

    def deleted_count(self) -> int:
        return len(self.deleted)

    def deleted_docs(self) -> Iterator[int]:
        return iter(self.deleted)

    def delete_document(self, docnum: int, delete: bool = True) -> None:
        (self.deleted.add if delete else self.deleted.discard)(docnum)

    def is_deleted(self, docnum: int) -> bool:
        return docnum in self.deleted


class ArrayCodec(Codec):  # type: ignore[misc]
    """Reads for stock Whoosh. Writing through Whoosh's own writer is not offered."""

    def terms_reader(self, storage: Any, segment: Segment) -> ArrayTerms:
        return ArrayTerms(Arrays(segment.file(Path(storage.folder))))

    def per_document_reader(self, storage: Any, segment: Segment) -> ArrayDocuments:
        return ArrayDocuments(Arrays(segment.file(Path(storage.folder))), segment)


class ArrayTerms(TermsReader):  # type: ignore[misc]
    """Whoosh's view of words and postings."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._words = Words(arrays)
        self._postings = Postings(arrays)

    def _find(self, fieldname: str, text: bytes) -> int | None:
        if fieldname not in FIELD_NAMES:
            return None
        return self._postings.term(FIELD_NAMES.index(fieldname), self._words.stem(text.decode()))

    def _stems(self, fieldname: str) -> list[int]:
        """The stems that a field holds, in order."""
        key, _ = self._postings.sizes()
        stems: list[int] = (key[key % FIELDS == FIELD_NAMES.index(fieldname)] // FIELDS).tolist()
        return stems

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        return self._find(*term) is not None

    def indexed_field_names(self) -> tuple[str, ...]:
        return tuple(name for name in FIELD_NAMES if self._stems(name))

    def terms(self) -> Iterator[tuple[str, bytes]]:
        return self.terms_from("", b"")

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[str, bytes]]:
        for field in sorted(FIELD_NAMES):  # Whoosh merges the terms of several segments in this order
            if field >= fieldname:
                for stem in self._stems(field):
                    text = self._words.stems[stem].encode()
                    if field > fieldname or text >= prefix:
                        yield field, text

    def items(self) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        return ((term, self.term_info(*term)) for term in self.terms())

    def items_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[tuple[str, bytes], TermInfo]]:
        return ((term, self.term_info(*term)) for term in self.terms_from(fieldname, prefix))

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        term = self._find(fieldname, text)
        if term is None:
            raise TermNotFound(f"No term {fieldname}:{text!r}")
        docs, tf = self._postings.docs(term), self._postings.frequencies(term)
        lengths = self._arrays[f"len.{fieldname}"][docs]
        return TermInfo(
            weight=float(tf.sum(dtype=np.int64)),
            df=len(docs),
            minlength=int(lengths.min()),
            maxlength=int(lengths.max()),
            maxweight=float(tf.max()),
            minid=int(docs[0]),
            maxid=int(docs[-1]),
        )

    def frequency(self, fieldname: str, text: bytes) -> float:
        # 0 where another segment has the term and this one has not: Whoosh adds them up.
        return float(self.term_info(fieldname, text).weight()) if (fieldname, text) in self else 0.0

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        return int(self.term_info(fieldname, text).doc_frequency()) if (fieldname, text) in self else 0

    def matcher(self, fieldname: str, text: bytes, format_: Any, scorer: Any = None) -> PositionMatcher:
        info = self.term_info(fieldname, text)
        term = self._find(fieldname, text)
        assert term is not None
        docs, tf = self._postings.docs(term), self._postings.frequencies(term)
        matcher = PositionMatcher(
            docs.tolist(), tf.astype(float).tolist(), None, format_, scorer, term=(fieldname, text), terminfo=info
        )
        matcher.positions = np.split(self._postings.positions(term), np.cumsum(tf)[:-1])
        return matcher

    def close(self) -> None:
        """The file is unmapped when nobody holds an array of it."""


class PositionMatcher(ListMatcher):  # type: ignore[misc]
    """A posting list with its positions, so that Whoosh's phrases and spans work on it."""

    positions: list[Array]

    def copy(self) -> PositionMatcher:
        other: PositionMatcher = super().copy()
        other.positions = self.positions
        other._term, other._terminfo = self._term, self._terminfo  # which ListMatcher.copy forgets
        return other

    def supports(self, astype: str) -> bool:
        return astype in ("positions", "frequency", "weight")

    def value_as(self, astype: str) -> Any:
        if astype == "positions":
            return self.positions[self._i].tolist()
        return self.weight()


class ArrayDocuments(PerDocumentReader):  # type: ignore[misc]
    """Whoosh's view of what a segment holds by document."""

    def __init__(self, arrays: Arrays, segment: Segment) -> None:
        self._arrays = arrays
        self._segment = segment
        self._ids = Strings.of(arrays, "doc.ids")

    def doc_count(self) -> int:
        return self._segment.doccount - len(self._segment.deleted)

    def doc_count_all(self) -> int:
        return self._segment.doccount

    def has_deletions(self) -> bool:
        return bool(self._segment.deleted)

    def is_deleted(self, docnum: int) -> bool:
        return docnum in self._segment.deleted

    def deleted_docs(self) -> set[int]:
        return self._segment.deleted

    def supports_columns(self) -> bool:
        return True

    def has_column(self, fieldname: str) -> bool:
        return fieldname == "published"

    def column_reader(self, fieldname: str, column: Any) -> Any:
        data = self._arrays[f"doc.{fieldname}"].astype(">i8").tobytes()

        return column.reader(BufferFile(memoryview(data)), 0, len(data), self._segment.doccount)

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        return int(self._lengths(fieldname)[docnum]) if fieldname in FIELD_NAMES else default

    def field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname).sum(dtype=np.int64))

    def min_field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname).min())

    def max_field_length(self, fieldname: str) -> int:
        return int(self._lengths(fieldname).max())

    def _lengths(self, fieldname: str) -> Array:
        return self._arrays[f"len.{fieldname}"]

    def stored_fields(self, docnum: int) -> dict[str, str]:
        return {"id": self._ids[docnum]}

    def close(self) -> None:
        """The file is unmapped when nobody holds an array of it."""
