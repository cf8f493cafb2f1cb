"""Articles -> the arrays of one segment: words (`words`), postings (`postings`), and by document:

doc.seq        version in the store             doc.tie       tie_break(id), and doc.by_tie, its sorted order
doc.published  microseconds since 1970          doc.embargo   the same; NONE where there is none
doc.withdrawn  1 or 0                           doc.ids       texts
len.FIELD      number of tokens                 FILTER.values texts, sorted; FILTER.doc and FILTER.ord: pairs
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.article import Article, tie_break
from search.engines.whoosh import postings
from search.engines.whoosh.arrays import Array, Strings, narrow
from search.engines.whoosh.instants import micros
from search.engines.whoosh.postings import FIELD_NAMES, FIELDS
from search.engines.whoosh.tokenise import Tokeniser
from search.engines.whoosh.words import NewWords, entry

GAP = 16  # positions between two items of a list field: no phrase spans two tags
BLOCK = 500_000  # characters tokenised at once: their arrays stay in the processor's cache


class Batch:
    """Articles being gathered for one segment. `tokeniser` may have met other articles before."""

    def __init__(self, tokeniser: Tokeniser | None = None) -> None:
        self._tokeniser = tokeniser or Tokeniser()
        self._tokeniser.spare_memory()
        self._documents = Documents()
        self._texts: list[str] = []  # not tokenised yet
        self._units: list[tuple[int, int, int]] = []  # of each text: document, field, item of the list
        self._waiting = 0  # characters
        self._blocks: list[tuple[Array, Array, Array, Array]] = []  # by token: form, document, field, position
        self._lengths: list[tuple[Array, Array, Array]] = []  # document, field, tokens; by text
        self.characters = 0

    def __len__(self) -> int:
        return len(self._documents)

    def add(self, seq: int, article: Article) -> None:
        """Gather an article; `seq` is its version in the store."""
        doc = self._documents.add(seq, article)
        for number, name in enumerate(FIELD_NAMES):
            value = getattr(article, name)
            for item, text in enumerate((value,) if isinstance(value, str) else value or ()):
                self._texts.append(text)
                self._units.append((doc, number, item))
                self._waiting += len(text)
                self.characters += len(text)
        if self._waiting >= BLOCK:  # between two articles, so that the items of a list are tokenised together
            self._tokenise()

    def arrays(self) -> dict[str, Array]:
        """The segment of what was gathered."""
        self._tokenise()
        form, doc, field, position = map(np.concatenate, zip(*self._blocks, strict=True))
        used = np.zeros(len(self._tokeniser.forms), dtype=bool)
        used[form] = True
        numbers = used.nonzero()[0]
        met = self._tokeniser
        stems = map(met.stems.__getitem__, map(met.stem_of.__getitem__, numbers.tolist()))
        entries = list(map(entry, stems, map(met.forms.__getitem__, numbers.tolist())))
        in_order = sorted(range(len(entries)), key=entries.__getitem__)
        words = NewWords([entries[i] for i in in_order])
        numbers = numbers[in_order]
        key_of = np.zeros(len(used), np.uint32)
        key_of[numbers] = words.stem_of * FIELDS
        number_of = np.zeros(len(used), narrow(words.number_of).dtype)
        number_of[numbers] = words.number_of
        key = key_of.take(form) + field
        order = sorting(key)
        key, doc = key.take(order), doc.take(order)
        begins = np.ones(len(key), dtype=bool)
        begins[1:] = (key[1:] != key[:-1]) | (doc[1:] != doc[:-1])
        posting = begins.nonzero()[0]
        tf = np.diff(np.append(posting, len(key)))
        of_posting, mix = postings.one_form(number_of.take(form).take(order), tf)
        position = position.take(order)
        far = (position >= postings.FAR).nonzero()[0]
        key = key[posting]
        first = postings.begins(key)
        lengths = np.zeros((FIELDS, len(self)), dtype=np.int64)
        for unit_doc, unit_field, count in self._lengths:
            np.add.at(lengths, (unit_field, unit_doc), count)
        return {
            **words.arrays(),
            **postings.pack(
                stems=len(words.stems),
                key=key[first],
                first=np.append(first, len(key)),
                doc=doc[posting],
                tf=tf,
                form=of_posting,
                mix=mix,
                pos=position.astype(np.uint16),
                far=postings.Far(far, position[far]),
            ),
            **self._documents.arrays(),
            **{f"len.{name}": narrow(lengths[i]) for i, name in enumerate(FIELD_NAMES)},
        }

    def _tokenise(self) -> None:
        form, step, ends = self._tokeniser.tokens(self._texts)
        doc, field, item = np.array(self._units, dtype=np.int64).reshape(-1, 3).T
        tokens = np.diff(ends, prepend=0)
        steps = np.concatenate(([0], np.cumsum(step, dtype=np.int64)))
        begin = ends - tokens
        # Items of one list follow each other, so the group (document, field) begins at its item 0.
        group = np.flatnonzero(item == 0)[np.cumsum(item == 0) - 1]
        base = steps[begin[group]] + 1 - GAP * item
        position = steps[1:] - np.repeat(base, tokens)
        self._blocks.append(
            (
                form,
                narrow(doc).repeat(tokens),
                field.astype(np.uint8).repeat(tokens),
                narrow(position),
            )
        )
        self._lengths.append((doc, field, steps[ends] - steps[begin]))
        self._texts, self._units, self._waiting = [], [], 0


class Documents:
    """What a segment holds by document, being gathered."""

    def __init__(self) -> None:
        self._seq: list[int] = []
        self._ids: list[str] = []
        self._published: list[int] = []
        self._embargo: list[int] = []
        self._withdrawn: list[bool] = []
        self._values: dict[str, list[tuple[int, str]]] = {name: [] for name in fields.FILTERS}

    def __len__(self) -> int:
        return len(self._seq)

    def add(self, seq: int, article: Article) -> int:
        """The number of the document."""
        doc = len(self._seq)
        self._seq.append(seq)
        self._ids.append(article.id)
        self._published.append(micros(article.published))
        self._embargo.append(micros(article.embargo_until))
        self._withdrawn.append(article.status == "withdrawn")
        for name, attribute in fields.FILTERS.items():
            value = getattr(article, attribute)
            if isinstance(value, str):
                self._values[name].append((doc, value))
            elif value:
                self._values[name] += [(doc, text) for text in value]
        return doc

    def arrays(self) -> dict[str, Array]:
        tie = np.array([tie_break(id) for id in self._ids], dtype=np.uint64)
        arrays: dict[str, Array] = {
            "doc.seq": np.array(self._seq, dtype=np.int64),
            "doc.tie": tie,
            "doc.by_tie": narrow(np.argsort(tie, kind="stable")),
            "doc.published": np.array(self._published, dtype=np.int64),
            "doc.embargo": np.array(self._embargo, dtype=np.int64),
            "doc.withdrawn": np.array(self._withdrawn, dtype=np.uint8),
            **Strings.pack("doc.ids", self._ids),
        }
        for name, pairs in self._values.items():
            arrays |= filter_pairs(name, pairs)
        return arrays


def filter_pairs(name: str, pairs: Sequence[tuple[int, str]]) -> dict[str, Array]:
    """The arrays of a filter, from documents and their values, in the order of the documents."""
    values = sorted({value for _, value in pairs})
    ordinal = {value: i for i, value in enumerate(values)}
    return {
        **Strings.pack(f"{name}.values", values),
        f"{name}.doc": narrow(np.array([doc for doc, _ in pairs], dtype=np.int64)),
        f"{name}.ord": narrow(np.array([ordinal[value] for _, value in pairs], dtype=np.int64)),
    }


def sorting(key: NDArray[np.uint32]) -> NDArray[np.int64]:
    """`argsort(kind="stable")`, three times faster: numpy sorts 16 bits by radix, and 32 are two times 16."""
    order = np.argsort(key.astype(np.uint16), kind="stable")
    high = (key >> np.uint32(16)).astype(np.uint16)
    return order if not high.any() else order[np.argsort(high[order], kind="stable")]
