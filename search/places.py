"""Where in a text the words asked for stand."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from search import analysis
from search.clauses import Clause, Phrase, Prefix, Word

STEM_MATE = 0.7  # a passage that shows the word as typed is better than one with another word of its stem
QUOTED = 1.5  # and one that shows a quoted phrase is better than one with as many words

Place = tuple[int, int, int, float]  # from where to where a term stands, which of those sought it is, what it says
_Span = tuple[int, int, str]  # from where to where a word stands, and its form
_NO_FORMS: Mapping[str, Sequence[str]] = {}


class Sought:
    """What is looked for in one field, made ready once for all the texts of an answer.

    `forms`: the words of each stem, where they are known; they only make it quicker.
    """

    def __init__(
        self, terms: Iterable[Clause], field: str | None = None, forms: Mapping[str, Sequence[str]] = _NO_FORMS
    ) -> None:
        leaves = [term for term in terms if isinstance(term, _LEAVES) and term.field in (None, field)]
        here = [(term, keys) for term in leaves if (keys := _keys(term))]
        here.sort(key=lambda pair: not isinstance(pair[0], Phrase))  # phrases read more, so they go first
        self.terms = [term for term, _ in here]
        self.keys = [keys for _, keys in here]
        self.prefixes: list[str] = []
        self.stems: set[str] = set()
        self.begins: dict[str, list[_Begin]] = {}  # by key
        for key in {key for keys in self.keys for key in keys}:
            if key[-1] == "*":  # no word has a star
                self.prefixes.append(key[:-1])
                self.begins[key] = [(key[:-1], 0)]
            else:
                self.stems.add(key)
                # Stemming changes the last two letters of what it leaves at most.
                self.begins[key] = _begins(forms[key]) if key in forms else [(key[:-2] or key[:1], 0)]
        self.initials = {key[0] for key in self.begins}
        self.raws = {shouting: _Raws(self, shouting) for shouting in (False, True)}


_LEAVES = (Word, Phrase, Prefix)


def by_field(terms: Sequence[Clause], forms: Mapping[str, Sequence[str]] = _NO_FORMS) -> Mapping[str, Sought]:
    """What is sought in each field: the same in all that no term names. Without a name, a section is not searched."""
    anywhere = Sought(terms, None, forms)
    leaves = [term for term in terms if isinstance(term, _LEAVES)]
    named = {term.field: Sought(terms, term.field, forms) for term in leaves if term.field}
    named["section"] = Sought([term for term in leaves if term.field == "section"], "section")
    return defaultdict(lambda: anywhere, named)


def _keys(term: Word | Phrase | Prefix) -> tuple[str, ...]:
    """What a term is counted and found by."""
    match term:
        case Word(stem):
            return (stem,)
        case Phrase(words):
            return tuple(word.stem for word in words)
        case Prefix(begin):
            return (f"{begin}*",)


def _begins(forms: Sequence[str]) -> list[_Begin]:
    """The few beginnings that these words have: `chang`; but `use` and `usi`, for all too much begins with `us`."""
    groups: dict[str, str] = {}
    for form in forms:
        begin = groups.setdefault(form[:3], form)
        while not form.startswith(begin):
            begin = begin[:-1]
        groups[form[:3]] = begin
    small = [begin for begin in groups.values() if len(begin) < 4]
    large = sorted((begin for begin in groups.values() if len(begin) >= 4), key=str.isupper)  # which is seldom
    begins = [(begin, 0) for begin in (*small, *(begin.capitalize() for begin in small))]
    begins += [(begin[1:], 1) for begin in large]  # small or capital: `lection`
    begins += [(".".join(form), 0) for form in forms if form.isupper()]  # U.S
    begins += [(f"{int(form):,}", 0) for form in forms if form.isdecimal() and len(form) > 3]  # 2,000
    return begins


_Begin = tuple[str, int]  # what to look for, and how many characters before it the word begins


class _Part(NamedTuple):
    """A part of a raw word, and the stem and prefixes that find it; a token, where it stands in a text."""

    keys: tuple[str, ...]
    form: str
    position: int
    start: int
    end: int


class _Raws(dict[str, tuple[int, tuple[_Part, ...], bool]]):
    """Raw word -> how many positions it takes; its parts that are sought (mostly none); whether they are unclear.

    They are where two of them, `run` and `running` of `run-ning`, begin in one place and are found by one key.
    """

    def __init__(self, sought: Sought, shouting: bool) -> None:
        self.sought = sought
        self.shouting = shouting

    def __missing__(self, raw: str) -> tuple[int, tuple[_Part, ...], bool]:
        sought = self.sought
        if raw.isascii() and raw.isalpha() and raw[0].lower() not in sought.initials:
            self[raw] = 1, (), False  # nine words in ten need no analysis: a stem begins as its word does
            return self[raw]
        position, found = -1, []
        for part, (start, end) in zip(analysis.parts(raw, self.shouting), analysis.spans(raw), strict=True):
            position += part.step
            keys = [part.stem] if part.stem in sought.stems else []
            keys += [f"{prefix}*" for prefix in sought.prefixes if part.form.lower().startswith(prefix)]
            if keys:
                found.append(_Part(tuple(keys), part.form, position, start, end))
        places = [(key, part.start) for part in found for key in part.keys]
        self[raw] = position + 1, tuple(found), len(set(places)) < len(places)
        return self[raw]


def find(text: str, sought: Sought, counts: Mapping[str, int] | None = None) -> list[Place]:
    """Every place that a term is found at, in the order of the text.

    `counts`: how many words of each stem, and of each prefix (as `begin*`), the text has, where that is known.
    """
    if not sought.terms or (counts is not None and not any(map(counts.get, sought.begins))):
        return []
    page = _Page(text, sought)
    if counts is not None:
        try:
            return sorted(page.look(counts))
        except _UnclearError:
            pass
    return sorted(page.read())


class _UnclearError(Exception):
    """The text must be read to know."""


# A word of plain letters and digits, with its possessive, and what cannot belong to it on either side.
_plain = re.compile(r"""[A-Za-z0-9]{1,64}(?:['’][sS])?(?=[.,'’]*(?:[\s"”):;!?/—\]]|\Z))""").match
_HYPHEN = f"[{analysis.HYPHENS}]"
AROUND = 2_000  # characters that may be read around the words of phrases, beyond the length of the text
_OPEN = frozenset(' \n\t"“([/—\xa0')


class _Page:
    """One text, and what was found in it: the places of each stem, and of each prefix (`begin*`), by their start."""

    def __init__(self, text: str, sought: Sought) -> None:
        self.text = text
        self.sought = sought
        self.raws = sought.raws[analysis.is_shouting(text)]
        self.found: dict[str, dict[int, _Span]] = {key: {} for key in sought.begins}
        self.read_from: set[int] = set()
        self.reading = 0  # characters read around the words of phrases

    def read(self) -> Iterator[Place]:
        """Read the text through."""
        tokens, _ = self.tokens(0, len(self.text))
        for i, (term, keys) in enumerate(zip(self.sought.terms, self.sought.keys, strict=True)):
            if isinstance(term, Phrase):
                yield from _of_phrase(i, term, tokens)
            else:
                yield from _of_word(i, term, [(t.start, t.end, t.form) for t in tokens if keys[0] in t.keys])

    def tokens(self, low: int, high: int) -> tuple[list[_Part], int]:
        """What is sought from low to high, each at a space or an end of the text; and how many words there are."""
        tokens: list[_Part] = []
        position = 0
        for match in analysis.WORD.finditer(self.text, low, high):
            steps, found, _ = self.raws[match[0]]
            if found:
                at = match.start()
                tokens += [_Part(t.keys, t.form, position + t.position, at + t.start, at + t.end) for t in found]
            position += steps
        return tokens, position

    def look(self, counts: Mapping[str, int]) -> list[Place]:
        """Look where a word may begin, until as many are found as there are.

        Raises:
            _UnclearError: that many are not found.
        """
        rarest = [keys[0] if len(keys) == 1 else min(keys, key=lambda k: counts.get(k, 0)) for keys in self.sought.keys]
        wanted = {key: count for key in rarest if (count := counts.get(key))}
        small = ""
        for key, count in wanted.items():
            self.look_for(key, self.text, count)
            if len(self.found[key]) < count:
                small = small or self.text.lower()
                if len(small) == len(self.text):
                    self.look_for(key, small, count)
            if len(self.found[key]) < count:
                self.look_for_hyphens(key)
        for key, count in wanted.items():
            if len(self.found[key]) != count:
                raise _UnclearError
        places: list[Place] = []
        for i, (term, key) in enumerate(zip(self.sought.terms, rarest, strict=True)):
            if key not in wanted:
                continue
            spans = self.found[key].values()
            if not isinstance(term, Phrase):
                places += _of_word(i, term, spans)
            elif len(term.words) > 1:
                places += {place for start, end, _ in spans for place in self.around(i, term, start, end)}
            else:  # each stands beside nothing
                places += _of_phrase(i, term, [_Part((key,), form, start, start, end) for start, end, form in spans])
        return places

    def look_for(self, key: str, text: str, count: int) -> None:
        """Look wherever a word may begin that is found by this, in the text or the same text in small letters."""
        found, whole = self.found[key], self.text
        for begin, skipped in self.sought.begins[key]:
            at = skipped - 1
            while len(found) < count and (at := text.find(begin, at + 1)) >= 0:
                first = at - skipped
                before = whole[first - 1] if first else " "
                if before in _OPEN and (plain := _plain(whole, first)):
                    self.put(first, plain[0])
                elif not before.isalnum():
                    self.read_at(first)

    def look_for_hyphens(self, key: str) -> None:
        """Read what has a hyphen where what is found by this has none: `e-mail`, `co-operative`."""
        for begin, skipped in self.sought.begins[key]:
            for match in re.finditer(f"{_HYPHEN}?".join(map(re.escape, begin)), self.text, re.IGNORECASE):
                if re.compile(_HYPHEN).search(self.text, max(0, match.start() - skipped), match.end()):
                    self.read_at(match.start())

    def read_at(self, at: int) -> None:
        """Read what stands between two spaces."""
        low = self.text.rfind(" ", 0, at) + 1
        if low not in self.read_from:
            self.read_from.add(low)
            for match in analysis.WORD.finditer(self.text, low, _space(self.text, at)):
                self.put(match.start(), match[0])

    def put(self, at: int, raw: str) -> None:
        """Keep what is sought of a raw word.

        Raises:
            _UnclearError: it is unclear what that is.
        """
        _, parts, unclear = self.raws[raw]
        if unclear:
            raise _UnclearError
        for keys, form, _, first, last in parts:
            for key in keys:
                self.found[key][at + first] = at + first, at + last, form

    def around(self, i: int, phrase: Phrase, start: int, end: int) -> list[Place]:
        """The places of a phrase that one of its words stands at from start to end; and maybe others."""
        text = self.text
        low = text.rfind(" ", 0, start) + 1
        high = _space(text, end)
        beside = len(phrase.words) - 1
        for _ in range(beside):
            low = text.rfind(" ", 0, max(low - 1, 0)) + 1
            high = _space(text, high + 1)
        while True:
            self.reading += high - low
            if self.reading > len(text) + AROUND:
                raise _UnclearError  # hardly a space to stop at: reading it through takes less
            tokens, words = self.tokens(low, high)
            at = next(t.position for t in tokens if (t.start, t.end) == (start, end))
            if (low == 0 or at >= beside) and (high >= len(text) or words - at > beside):
                return _of_phrase(i, phrase, tokens)
            low = text.rfind(" ", 0, max(low - 1, 0)) + 1
            high = _space(text, high + 1)


def _space(text: str, at: int) -> int:
    """Where the next space is, or the end."""
    space = text.find(" ", at)
    return space if space >= 0 else len(text)


def _of_word(i: int, term: Word | Prefix, spans: Collection[_Span]) -> list[Place]:
    """The places of a word or a prefix, of all that was found by its stem or beginning."""
    if isinstance(term, Prefix):
        return [(start, end, i, STEM_MATE) for start, end, _ in spans]
    asked, small = term.form, term.form.lower()
    if asked != small and any(form == asked for _, _, form in spans):  # US, and not us, where the text has both
        return [(start, end, i, 1) for start, end, form in spans if form == asked]
    return [(start, end, i, 1 if form == small or form.lower() == small else STEM_MATE) for start, end, form in spans]


def _of_phrase(i: int, phrase: Phrase, tokens: list[_Part]) -> list[Place]:
    """The places of a phrase, from its first word to the last: where they stand side by side."""
    at: dict[tuple[int, str], _Part] = {}
    for token in tokens:
        at |= {(token.position, key): token for key in ((token.form.lower(),) if phrase.exact else token.keys)}
    keys = [word.form.lower() if phrase.exact else word.stem for word in phrase.words]
    weight = len(keys) * (QUOTED if phrase.exact else 1)
    places = []
    for token in tokens:
        run = [at.get((token.position + step, key)) for step, key in enumerate(keys)]
        if run[0] is token and run[-1] and all(run):
            places.append((token.start, run[-1].end, i, weight))
    return places
