"""Articles -> the arrays of one segment, and several segments -> one.

A term is a stem in a field; its key is `field * number of stems + stem`, both counted from 0 in sorted order.

    words.stems     texts, sorted                    words.forms   texts: the surface forms of stem 0, of stem 1, ..
    words.first     where a stem's forms begin       words.order   the forms, sorted by their small letters
    term.key        sorted keys                      term.post     where a term's postings begin, and the end
    term.occ        where its occurrences begin      post.doc      document numbers, ascending within a term
    post.tf         how often                        occ.pos       token positions, ascending within a posting
    occ.form        which of the stem's forms stands there
    doc.seq         version in the store             doc.tie       tie_break(id), and doc.by_tie, its sorted order
    doc.published   microseconds since 1970          doc.embargo   the same; NONE where there is none
    doc.withdrawn   1 or 0                           doc.ids       texts
    len.FIELD       number of tokens                 FILTER.values texts, sorted; FILTER.doc and FILTER.ord: pairs
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from search import analysis, fields
from search.article import Article, tie_break
from search.engines.whoosh.arrays import Array, Strings, narrow, ranges

NONE = np.iinfo(np.int64).min  # no date
GAP = 16  # positions between two items of a list field: no phrase spans two tags
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIELD_NAMES = tuple(field.name for field in fields.SEARCHED)


def micros(moment: datetime | None) -> int:
    """Microseconds since 1970, exactly; NONE for no date."""
    if moment is None:
        return int(NONE)
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def moment(value: int) -> datetime | None:
    """What `micros` was made of."""
    return None if value == NONE else EPOCH + timedelta(microseconds=value)


class Batch:
    """Articles being gathered for one segment: per article one pass of the word pattern, all else at `arrays()`."""

    def __init__(self) -> None:
        self._raws = _RawWords()
        self._stream = array("I")  # raw words of all texts, one after another
        self._units: list[tuple[int, int, int, int]] = []  # document, field, item of the list, where its words end
        self._articles: list[tuple[int, Article]] = []

    def __len__(self) -> int:
        return len(self._articles)

    @property
    def tokens(self) -> int:
        """Words gathered, which is what memory grows with."""
        return len(self._stream)

    def add(self, seq: int, article: Article) -> None:
        """Gather an article; `seq` is its version in the store."""
        doc = len(self._articles)
        for number, name in enumerate(FIELD_NAMES):
            value = getattr(article, name)
            for item, text in enumerate((value,) if isinstance(value, str) else value or ()):
                known = self._raws.shouted if analysis.is_shouting(text) else self._raws.spoken
                self._stream.extend(map(known.__getitem__, analysis.WORD.findall(text)))
                self._units.append((doc, number, item, len(self._stream)))
        self._articles.append((seq, article))

    def arrays(self) -> dict[str, Array]:
        """The segment of what was gathered."""
        units = np.array(self._units, dtype=np.int64).reshape(-1, 4)
        unit_doc, unit_field, unit_item, unit_end = units.T
        raw = np.frombuffer(self._stream, dtype=np.uint32) if len(self._stream) else np.empty(0, np.uint32)
        first, count, part_form, part_step = self._raws.table()

        tokens = ranges(first[raw], count[raw])  # into the parts; a raw word such as COVID-19 has several
        form, step = part_form[tokens], part_step[tokens]
        token_end = np.concatenate(([0], np.cumsum(count[raw], dtype=np.int64)))[unit_end]
        token_start = np.concatenate(([0], token_end[:-1]))
        steps = np.concatenate(([0], np.cumsum(step, dtype=np.int64)))
        lengths = np.zeros((len(FIELD_NAMES), len(self._articles)), dtype=np.int64)
        np.add.at(lengths, (unit_field, unit_doc), steps[token_end] - steps[token_start])

        # Items of one list follow each other, so the group (document, field) begins at its item 0.
        group_start = token_start[unit_item == 0]
        group = np.cumsum(unit_item == 0) - 1
        base = steps[group_start[group]] + 1 - GAP * unit_item
        per_unit = token_end - token_start
        position = steps[1:] - np.repeat(base, per_unit)
        doc = np.repeat(unit_doc, per_unit)
        field = np.repeat(unit_field, per_unit)

        words = _Words(self._raws.forms)
        key = field * words.stem_count + words.stem_of[form]
        order = _stable_order(key)
        key, doc = key[order], doc[order]
        new_term = np.concatenate(([True], key[1:] != key[:-1])) if len(key) else np.empty(0, bool)
        new_posting = new_term.copy()
        new_posting[1:] |= doc[1:] != doc[:-1]
        posting = np.flatnonzero(new_posting)
        occurrence = np.flatnonzero(new_term)
        return {
            **words.arrays(),
            **_postings(
                key=key[posting],
                doc=doc[posting],
                tf=np.diff(np.append(posting, len(key))),
                pos=position[order],
                form=words.number_of[form][order],
                occ=np.append(occurrence, len(key)),
            ),
            **_documents(self._articles),
            **{f"len.{name}": narrow(lengths[i]) for i, name in enumerate(FIELD_NAMES)},
        }


def merge(segments: Sequence[Mapping[str, Array]], live: Sequence[NDArray[np.bool_]]) -> dict[str, Array]:
    """One segment of what is live in several; documents keep their order."""
    bases = np.cumsum([0, *(int(mask.sum()) for mask in live)])
    renumber = [np.cumsum(mask) - 1 + base for mask, base in zip(live, bases, strict=False)]
    gathered = [_Gathered(arrays, mask) for arrays, mask in zip(segments, live, strict=True)]
    words = _Words(sorted({form for part in gathered for form in part.forms}))
    place = {form: i for i, form in enumerate(words.forms)}

    keys, docs, tfs, starts, pos, forms = [], [], [], [], [], []
    shift = 0
    for part, numbers in zip(gathered, renumber, strict=True):
        new_place = np.array([place[form] for form in part.forms], dtype=np.int64)
        occ_place = new_place[part.occ_form]
        keys.append(part.field * words.stem_count + words.stem_of[occ_place[part.start]])
        docs.append(numbers[part.doc])
        tfs.append(part.tf)
        starts.append(part.start + shift)
        pos.append(part.pos)
        forms.append(words.number_of[occ_place])
        shift += len(part.pos)

    key, tf = np.concatenate(keys), np.concatenate(tfs)
    order = _stable_order(key)  # within a term: segment by segment, so document numbers ascend
    key, tf = key[order], tf[order]
    gather = ranges(np.concatenate(starts)[order], tf)
    ends = np.concatenate(([0], np.cumsum(tf)))
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1]))) if len(key) else np.empty(0, np.int64)
    merged = {
        **words.arrays(),
        **_postings(
            key=key,
            doc=np.concatenate(docs)[order],
            tf=tf,
            pos=np.concatenate(pos)[gather],
            form=np.concatenate(forms)[gather],
            occ=np.append(ends[first], ends[-1]),
        ),
    }
    for name in ("doc.seq", "doc.tie", "doc.published", "doc.embargo", "doc.withdrawn"):
        merged[name] = np.concatenate([arrays[name][mask] for arrays, mask in zip(segments, live, strict=True)])
    merged["doc.by_tie"] = narrow(np.argsort(merged["doc.tie"], kind="stable"))
    ids = [Strings.of(arrays, "doc.ids") for arrays in segments]
    merged |= Strings.pack(
        "doc.ids", (ids[i][doc] for i, mask in enumerate(live) for doc in np.flatnonzero(mask).tolist())
    )
    for name in FIELD_NAMES:
        merged[f"len.{name}"] = narrow(
            np.concatenate([arrays[f"len.{name}"][mask] for arrays, mask in zip(segments, live, strict=True)])
        )
    for name in fields.FILTERS:
        pairs: list[tuple[int, str]] = []
        for arrays, mask, numbers in zip(segments, live, renumber, strict=True):
            values = list(Strings.of(arrays, f"{name}.values"))
            doc, ordinal = arrays[f"{name}.doc"], arrays[f"{name}.ord"]
            keep = mask[doc]
            new_doc = numbers[doc[keep]].tolist()
            pairs += zip(new_doc, (values[place] for place in ordinal[keep].tolist()), strict=True)
        merged |= _pairs(name, pairs)
    return merged


class _RawWords:
    """Raw words as they stand in the text -> the parts that analysis makes of them, by number."""

    def __init__(self) -> None:
        self.forms: list[str] = []
        self._form_ids: dict[str, int] = {}
        self._first = array("I")
        self._count = array("I")
        self._part_form = array("I")
        self._part_step = array("B")
        self.spoken = _Known(self, shouting=False)
        self.shouted = _Known(self, shouting=True)

    def add(self, raw: str, shouting: bool) -> int:
        parts = analysis.parts(raw, shouting)
        self._first.append(len(self._part_form))
        self._count.append(len(parts))
        for part in parts:
            number = self._form_ids.get(part.form)
            if number is None:
                number = self._form_ids[part.form] = len(self.forms)
                self.forms.append(part.form)
            self._part_form.append(number)
            self._part_step.append(part.step)
        return len(self._first) - 1

    def table(self) -> tuple[NDArray[np.int64], ...]:
        columns = (self._first, self._count, self._part_form, self._part_step)
        return tuple(np.array(column, dtype=np.int64) for column in columns)


class _Known(dict[str, int]):
    def __init__(self, raws: _RawWords, shouting: bool) -> None:
        super().__init__()
        self._raws = raws
        self._shouting = shouting

    def __missing__(self, raw: str) -> int:
        number = self[raw] = self._raws.add(raw, self._shouting)
        return number


class _Words:
    """The dictionary of a segment: forms by stem. `stem_of` and `number_of` go by the place in `forms` as given."""

    def __init__(self, forms: Sequence[str]) -> None:
        self.forms = forms
        stems = [analysis.stem(form.lower()) for form in forms]
        order = sorted(range(len(forms)), key=lambda i: (stems[i], forms[i]))
        self._stems = sorted(set(stems))
        ordinal = {stem: i for i, stem in enumerate(self._stems)}
        self._sorted = [forms[i] for i in order]
        self.stem_of = np.array([ordinal[stem] for stem in stems], dtype=np.int64)
        self._first = np.searchsorted(self.stem_of[order], np.arange(len(self._stems) + 1))
        self.number_of = np.empty(len(forms), dtype=np.int64)
        self.number_of[order] = np.arange(len(forms)) - self._first[self.stem_of[order]]

    @property
    def stem_count(self) -> int:
        return len(self._stems)

    def arrays(self) -> dict[str, Array]:
        by_text = sorted(range(len(self._sorted)), key=lambda i: (self._sorted[i].lower(), self._sorted[i]))
        return {
            **Strings.pack("words.stems", self._stems),
            **Strings.pack("words.forms", self._sorted),
            "words.first": narrow(self._first),
            "words.order": narrow(np.array(by_text, dtype=np.int64)),
        }


class _Gathered:
    """What is live of one segment's postings: field of each term, and the forms that still occur."""

    def __init__(self, arrays: Mapping[str, Array], live: NDArray[np.bool_]) -> None:
        stem_count = len(arrays["words.stems.ends"])
        post = arrays["term.post"].astype(np.int64)
        key = np.repeat(arrays["term.key"].astype(np.int64), post[1:] - post[:-1])
        tf = arrays["post.tf"].astype(np.int64)
        start = np.concatenate(([0], np.cumsum(tf)))[:-1]
        keep = live[arrays["post.doc"]]
        key, self.tf = key[keep], tf[keep]
        self.doc = arrays["post.doc"][keep]
        gather = ranges(start[keep], self.tf)
        self.start = np.cumsum(self.tf) - self.tf
        self.field = key // max(stem_count, 1)
        self.pos = arrays["occ.pos"][gather]
        first = arrays["words.first"].astype(np.int64)[key % max(stem_count, 1)]
        form = np.repeat(first, self.tf) + arrays["occ.form"][gather]
        used, self.occ_form = np.unique(form, return_inverse=True)
        texts = Strings.of(arrays, "words.forms")
        self.forms = [texts[int(i)] for i in used]


def _postings(*, key: Array, doc: Array, tf: Array, pos: Array, form: Array, occ: Array) -> dict[str, Array]:
    """The arrays of postings: `key` and `doc` per posting, in order; `occ` where each term's occurrences begin."""
    first = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1]))) if len(key) else np.empty(0, np.int64)
    return {
        "term.key": narrow(key[first]),
        "term.post": narrow(np.append(first, len(key))),
        "term.occ": narrow(occ),
        "post.doc": narrow(doc),
        "post.tf": narrow(tf),
        "occ.pos": narrow(pos),
        "occ.form": narrow(form),
    }


def _documents(articles: Sequence[tuple[int, Article]]) -> dict[str, Array]:
    tie = np.array([tie_break(article.id) for _, article in articles], dtype=np.uint64)
    arrays: dict[str, Array] = {
        "doc.seq": np.array([seq for seq, _ in articles], dtype=np.int64),
        "doc.tie": tie,
        "doc.by_tie": narrow(np.argsort(tie, kind="stable")),
        "doc.published": np.array([micros(article.published) for _, article in articles], dtype=np.int64),
        "doc.embargo": np.array([micros(article.embargo_until) for _, article in articles], dtype=np.int64),
        "doc.withdrawn": np.array([article.status == "withdrawn" for _, article in articles], dtype=np.uint8),
        **Strings.pack("doc.ids", (article.id for _, article in articles)),
    }
    for name, attribute in fields.FILTERS.items():
        pairs: list[tuple[int, str]] = []
        for doc, (_, article) in enumerate(articles):
            value = getattr(article, attribute)
            pairs += ((doc, text) for text in ((value,) if isinstance(value, str) else value or ()))
        arrays |= _pairs(name, pairs)
    return arrays


def _pairs(name: str, pairs: Sequence[tuple[int, str]]) -> dict[str, Array]:
    values = sorted({value for _, value in pairs})
    ordinal = {value: i for i, value in enumerate(values)}
    return {
        **Strings.pack(f"{name}.values", values),
        f"{name}.doc": narrow(np.array([doc for doc, _ in pairs], dtype=np.int64)),
        f"{name}.ord": narrow(np.array([ordinal[value] for _, value in pairs], dtype=np.int64)),
    }


def _stable_order(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Like `argsort(kind="stable")`; key and place packed into 64 bits sort several times faster."""
    packed = (key.astype(np.uint64) << np.uint64(32)) | np.arange(len(key), dtype=np.uint64)
    packed.sort()
    return (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
