"""Where in a text the words asked for stand."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from search import analysis
from search.analysis import Token
from search.query import Clause, Phrase, Prefix, Word

STEM_MATE = 0.7  # a passage that shows the word as typed is better than one with another word of its stem
QUOTED = 1.5  # and one that shows a quoted phrase is better than one with as many words
SHORT = 200  # characters of a text, mostly a title, that needs no counts to be looked through

_NO_FORMS: Mapping[str, Sequence[str]] = {}


class Place(NamedTuple):
    """From where to where a term stands, which of those sought it is, and how much it says."""

    start: int
    end: int
    term: int
    weight: float


class Sought:
    """What is looked for in one field, made ready once for all the texts of an answer.

    `forms`: the words of each stem, where they are known; they only make it quicker.
    """

    def __init__(
        self, terms: Iterable[Clause], field: str | None = None, forms: Mapping[str, Sequence[str]] = _NO_FORMS
    ) -> None:
        leaves = (term for term in terms if isinstance(term, _LEAVES))
        here = (term for term in leaves if term.field in (None, field) and _keys(term))
        self.terms = sorted(here, key=lambda term: not isinstance(term, Phrase))  # they read more, so they go first
        self.prefixes = tuple(term.text for term in self.terms if isinstance(term, Prefix))
        self.keys = [_keys(term) for term in self.terms]
        self.stems = {key for keys in self.keys for key in keys if key[-1:] != "*"}  # no word has a star
        self.initials = {begin[:1] for begin in (*self.stems, *self.prefixes)}
        self.raws = {shouting: _Raws(self, shouting) for shouting in (False, True)}
        # What the words of a stem begin with: stemming changes the last two letters of what it leaves at most.
        self.begins = {stem: [(stem[:-2] or stem[:1], 0)] for stem in self.stems}
        self.begins |= {f"{prefix}*": [(prefix, 0)] for prefix in self.prefixes}
        self.known = self.begins | {stem: _begins(forms[stem]) for stem in self.stems if stem in forms}


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
    begins = [(begin, 0) for begin in (*small, *(begin.capitalize() for begin in small))]
    begins += [(begin[1:], 1) for begin in groups.values() if len(begin) >= 4]  # small or capital: `lection`
    begins += [(".".join(form), 0) for form in forms if form.isupper()]  # U.S
    begins += [(f"{int(form):,}", 0) for form in forms if form.isdecimal() and len(form) > 3]  # 2,000
    return begins


_Begin = tuple[str, int]  # what to look for, and how many characters before it the word begins


class _Raws(dict[str, tuple[int, tuple[Token, ...]]]):
    """Raw word -> how many positions it takes, and those of its parts that are sought (mostly none)."""

    def __init__(self, sought: Sought, shouting: bool) -> None:
        self.sought = sought
        self.shouting = shouting

    def __missing__(self, raw: str) -> tuple[int, tuple[Token, ...]]:
        sought = self.sought
        if raw.isascii() and raw.isalpha() and raw[0].lower() not in sought.initials:
            self[raw] = 1, ()  # nine words in ten need no analysis: a stem begins as its word does
            return self[raw]
        position, found = -1, []
        for part, (start, end) in zip(analysis.parts(raw, self.shouting), analysis.spans(raw), strict=True):
            position += part.step
            if part.stem in sought.stems or part.form.lower().startswith(sought.prefixes):
                found.append(Token(part.stem, part.form, position, start, end))
        self[raw] = position + 1, tuple(found)
        return self[raw]


def find(text: str, sought: Sought, counts: Mapping[str, int] | None = None) -> list[Place]:
    """Every place that a term is found at, in the order of the text.

    `counts`: how many words of each stem, and of each prefix (as `begin*`), the text has, where that is known.
    """
    if not sought.terms or (counts is not None and not any(map(counts.get, sought.begins))):
        return []
    page = _Page(text, sought)
    try:
        if counts is not None:
            return sorted(page.look(counts))
        if len(text) <= SHORT and not _HIDES.search(text):
            return sorted(page.look_through())
    except _UnclearError:
        pass
    return sorted(page.read())


class _UnclearError(Exception):
    """The text must be read to know."""


# A word of plain letters and digits, with its possessive, and what cannot belong to it on either side.
_PLAIN = re.compile(r"""[A-Za-z0-9]{1,64}(?:['’][sS])?(?=[.,'’]*(?:[\s"”):;!?/—\]]|\Z))""")
_OPEN = frozenset(' \n\t"“([/—\xa0')
# What hides a word: `O'Neill`, `2,000`, `U.S.`, `e-mail`, `C++`, `café`; the possessive and quotation marks do not.
_HIDES = re.compile(
    rf"""[{analysis.APOSTROPHES}{analysis.HYPHENS}.,&+\#\x80-\U0010ffff]
    (?: (?<=[^\0-\x7f‘’“”–—…\xa0])
      | (?<=[^\W_].) (?: (?<=[+\#]) | (?=[^\W_]) (?!(?<=['’])[sS](?:[\s.,]|\Z)) )
    )""",
    re.VERBOSE,
)


class _Page:
    """One text, and what was found in it: the places of each stem, and of each prefix (`begin*`), by their start."""

    def __init__(self, text: str, sought: Sought) -> None:
        self.text = text
        self.sought = sought
        self.raws = sought.raws[analysis.is_shouting(text)]
        self.found: dict[str, dict[int, Token]] = {key: {} for key in sought.begins}
        self.read_from: set[int] = set()

    def read(self) -> Iterable[Place]:
        """Read the text through."""
        tokens, _ = self.tokens(0, len(self.text))
        return (place for i, term in enumerate(self.sought.terms) for place in _of_term(i, term, tokens))

    def tokens(self, low: int, high: int) -> tuple[list[Token], int]:
        """What is sought from low to high, each at a space or an end of the text; and how many words there are."""
        tokens: list[Token] = []
        position = 0
        for match in analysis.WORD.finditer(self.text, low, high):
            steps, found = self.raws[match[0]]
            if found:
                at = match.start()
                tokens += [Token(t.stem, t.form, position + t.position, at + t.start, at + t.end) for t in found]
            position += steps
        return tokens, position

    def look_through(self) -> Iterable[Place]:
        """Look wherever a word may begin, in a text where nothing hides one."""
        small = self.text.lower()
        for key, begins in self.sought.begins.items():
            self.look_for(key, begins, small, len(small))
        counts = {key: len(found) for key, found in self.found.items() if found}
        return self.places([_rarest(keys, counts) for keys in self.sought.keys]) if counts else ()

    def look(self, counts: Mapping[str, int]) -> Iterable[Place]:
        """Look where a word may begin, until as many are found as there are.

        Raises:
            _UnclearError: that many are not found.
        """
        rarest = [_rarest(keys, counts) for keys in self.sought.keys]
        wanted = {key: count for key in rarest if (count := counts.get(key))}
        small = ""
        for key, count in wanted.items():
            begins, found = self.sought.known[key], self.found[key]
            self.look_for(key, begins, self.text, count)
            if len(found) < count:
                small = small or self.text.lower()
                if len(small) == len(self.text):
                    self.look_for(key, begins, small, count)
        for key, count in wanted.items():
            if len(self.found[key]) != count:
                raise _UnclearError
        return self.places(rarest)

    def places(self, rarest: list[str]) -> Iterator[Place]:
        """Where the terms stand, of each of which the rarest word is found."""
        for i, (term, key) in enumerate(zip(self.sought.terms, rarest, strict=True)):
            tokens = self.found[key].values()
            if isinstance(term, Phrase) and len(term.words) > 1:
                yield from {place for token in tokens for place in self.around(i, term, token)}
            elif tokens:
                yield from _of_term(i, term, tokens)

    def look_for(self, key: str, begins: Iterable[_Begin], text: str, count: int) -> None:
        """Look wherever one of these beginnings is, in the text or the same text in small letters."""
        found, whole = self.found[key], self.text
        for begin, skipped in begins:
            at = -1
            while len(found) < count and (at := text.find(begin, at + skipped + 1) - skipped) >= 0:
                before = whole[at - 1] if at else " "
                if before in _OPEN and (plain := _PLAIN.match(whole, at)):
                    raw = plain[0]
                    if self.raws[raw][1]:
                        self.put(at, raw)
                elif not before.isalnum():
                    self.read_at(at)

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
            _UnclearError: two parts of it, `run` and `running` of `run-ning`, are found by one stem or prefix.
        """
        for stem, form, _, first, last in self.raws[raw][1]:
            start = at + first
            token = Token(stem, form, start, start, at + last)
            keys = [stem] if stem in self.found else []
            if self.sought.prefixes:
                keys += [f"{prefix}*" for prefix in self.sought.prefixes if form.lower().startswith(prefix)]
            for key in keys:
                if self.found[key].setdefault(start, token) != token:
                    raise _UnclearError

    def around(self, i: int, phrase: Phrase, token: Token) -> Iterable[Place]:
        """The places of a phrase that this token is one of its words at; and maybe others."""
        text, low, high = self.text, token.start, token.end
        low = text.rfind(" ", 0, low) + 1
        high = _space(text, high)
        beside = len(phrase.words) - 1
        for _ in range(beside):
            low = text.rfind(" ", 0, max(low - 1, 0)) + 1
            high = _space(text, high + 1)
        while True:
            tokens, words = self.tokens(low, high)
            at = next(t.position for t in tokens if (t.start, t.end) == (token.start, token.end))
            if (low == 0 or at >= beside) and (high >= len(text) or words - at > beside):
                return _of_term(i, phrase, tokens)
            low = text.rfind(" ", 0, max(low - 1, 0)) + 1
            high = _space(text, high + 1)


def _space(text: str, at: int) -> int:
    """Where the next space is, or the end."""
    space = text.find(" ", at)
    return space if space >= 0 else len(text)


def _rarest(keys: Sequence[str], counts: Mapping[str, int]) -> str:
    return keys[0] if len(keys) == 1 else min(keys, key=lambda key: counts.get(key, 0))


def _of_term(i: int, term: Word | Phrase | Prefix, tokens: Iterable[Token]) -> list[Place]:
    match term:
        case Word(stem, form):
            found = [t for t in tokens if t.stem == stem]
            small = form.lower()
            if form != small and any(t.form == form for t in found):
                found = [t for t in found if t.form == form]  # US, and not us, where the text has both
            return [Place(t.start, t.end, i, 1 if t.form.lower() == small else STEM_MATE) for t in found]
        case Prefix(begin):
            return [Place(t.start, t.end, i, STEM_MATE) for t in tokens if t.form.lower().startswith(begin)]
        case Phrase(words, exact):
            weight = len(words) * (QUOTED if exact else 1)
            return [Place(start, end, i, weight) for start, end in _runs(words, exact, list(tokens))]


def _runs(words: tuple[Word, ...], exact: bool, tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Where the words stand side by side: from the first to the last."""
    at: dict[tuple[int, str], Token] = {}
    for token in tokens:
        at[token.position, token.form.lower() if exact else token.stem] = token
    keys = [word.form.lower() if exact else word.stem for word in words]
    for token in tokens:
        run = [at.get((token.position + i, key)) for i, key in enumerate(keys)]
        if run[0] is token and run[-1] and all(run):
            yield token.start, run[-1].end
