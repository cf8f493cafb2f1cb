"""Read what a reader typed, one token after the other, into clauses."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import NamedTuple

from search import analysis, dates, fields
from search.clauses import Both, Clause, Either, Near, Phrase, Prefix, Word

DEEPEST = 8  # parentheses in parentheses
MOST_PHRASES = 8  # each may cost a tenth of a second
MOST_BETWEEN = 99  # words between those that are near each other
SHORTEST_PREFIX = 3  # two letters begin thousands of words


@dataclass(frozen=True, slots=True)
class Ignored:
    """A part of the query that could not be used, and why, in words for the reader."""

    text: str
    reason: str


_QUOTES = '"“”„‟«»″〝〞〟＂'
_DASHES = analysis.HYPHENS + "—"
_WIDE = str.maketrans("＊｜", "*|")  # signs of a keyboard for Chinese or Japanese; letters are folded with their word
_BETWEEN = rf"\s()（）|{_QUOTES}"  # what ends a chunk
_TOKEN = re.compile(
    rf"""
    [{_QUOTES}] (?P<near> [^{_QUOTES}]* ) [{_QUOTES}] [~～] (?P<slop> \d+ ) (?![^{_BETWEEN}.,;:!?])
    | [{_QUOTES}] (?P<phrase> [^{_QUOTES}]* ) [{_QUOTES}]
    | (?P<quote> [{_QUOTES}] )
    | (?P<open> [(（] )
    | (?P<close> [)）] )
    | (?P<either> \| | (?<![{_DASHES}])OR(?![^{_BETWEEN}]) )
    | (?P<both> (?<![{_DASHES}])AND(?![^{_BETWEEN}]) )
    | (?P<minus> (?<![{_DASHES}])NOT(?![^{_BETWEEN}]) | (?<![^\s(（|:：])[{_DASHES}](?=[^\s{_DASHES})）]) )
    | (?P<edge> (?i:before|after) ) [:：] (?P<date> [^{_BETWEEN}]+ )
    | (?P<field> (?i:{"|".join(fields.PREFIXES)}) ) [:：]
    | (?P<chunk> [^{_BETWEEN}]+ )
    """,
    re.VERBOSE,
)
_OR_STANDS = "it stands between two things to find"
_ASKING = ("slop", "phrase", "open", "chunk", "minus", "field")  # what a field's name can stand before


class _Operand(NamedTuple):
    """What stands on one side of an OR: a word, a phrase, a chunk of words like `and/or`, a group."""

    text: str
    clauses: tuple[Clause, ...] = ()
    excluded: tuple[Clause, ...] = ()
    plain: bool = False  # a single word: a stop word may be left out, and its neighbour makes a phrase with it


class Reader:
    """One pass over the tokens of a query; `group` calls itself, to a bounded depth, for parentheses."""

    def __init__(self, text: str, timezone: tzinfo, unfinished: bool = False) -> None:
        self.text = text = text.translate(_WIDE)
        self.unfinished = unfinished  # the last word may be the beginning of one
        self.timezone = timezone
        self.tokens = list(_TOKEN.finditer(text))
        self.at = 0
        self.phrases = 0
        self.too_deep = 0  # parentheses open that were not followed
        self.shouting = analysis.is_shouting(text)
        self.optional: list[Clause] = []
        self.near: list[Near] = []
        self.spared: list[Word] = []  # stop words that need not be there
        self.after: datetime | None = None
        self.before: datetime | None = None
        self.ignored: list[Ignored] = []

    def ignore(self, text: str, reason: str) -> None:
        self.ignored.append(Ignored(text if len(text) <= 60 else text[:60] + "…", reason))

    def peek(self) -> str | None:
        """The kind of the next token."""
        return self.tokens[self.at].lastgroup if self.at < len(self.tokens) else None

    def group(self, field: str | None, depth: int, negative: bool = False) -> _Operand:
        """Read to the closing parenthesis, or to the end."""
        rows: list[list[_Operand]] = []  # each must match, by any of its operands
        excluded: list[Clause] = []
        minus = either = ""  # the operators that wait for what comes next
        within = field
        after_operand = False
        start = max(self.at - 1, 0)
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            kind = token.lastgroup
            self.at += 1
            if kind == "close":
                if not self.too_deep and depth:
                    break
                self.too_deep = max(0, self.too_deep - 1)
            elif kind == "quote":
                self.ignore(token[0], "the quotation mark has no partner")
            elif kind == "minus":
                minus = token[0]
            elif kind == "date" and (depth or either):
                self.ignore(token[0], "a date holds for the whole search, and stands outside OR and parentheses")
                minus = either = ""
            elif kind == "date":
                self.bound(token, bool(minus))
                minus = ""
            elif kind == "field" and self.peek() in _ASKING:
                within = fields.PREFIXES[token["field"].lower()]
            elif kind == "open" and depth == DEEPEST:
                self.too_deep += 1
                self.ignore(token[0], f"parentheses are read {DEEPEST} deep")
            elif kind == "either" and self.peek() == "minus" and self.tokens[self.at][0] == "NOT":
                self.at += 1  # `to be OR NOT to be`: no side of an OR can be an exclusion, so these are words
                rows += [[self.chunk("or", field)], [self.chunk("not", field)]]
            elif kind == "either":
                if after_operand:
                    either = token[0]
                elif not either:
                    self.ignore(token[0], _OR_STANDS)
                after_operand = False
            elif kind != "both":
                operand = self.operand(token, within, depth, bool(minus) or negative)
                if within != field:
                    operand = operand._replace(plain=False)  # asked for by name: needed, be it a stop word
                after_operand = bool(operand.clauses) and not minus
                if minus:
                    excluded += _together(operand, kind)
                    if either:
                        self.ignore(either, _OR_STANDS)
                        either = ""
                    if operand.excluded:
                        self.ignore(operand.text, "what is left out of what is left out")
                elif either and after_operand:
                    rows[-1].append(operand)
                    either = ""
                elif after_operand:
                    rows.append([operand])
                else:
                    excluded += operand.excluded
                minus, within = "", field
        if either:
            self.ignore(either, _OR_STANDS)
        if minus == "NOT":
            self.ignore(minus, "it stands before what to leave out")
        for row in rows:
            for operand in row:
                excluded += operand.excluded
                if operand.excluded and len(row) > 1:
                    self.ignore(operand.text, "what is left out is left out of the whole, not of one side of OR")
        clauses = [clause for row in rows for clause in _row(row)] if negative else self.settle(rows)
        tokens = self.tokens[start : self.at]
        text = self.text[tokens[0].start() : tokens[-1].end()] if tokens else ""
        return _Operand(text, tuple(clauses), tuple(excluded))

    def operand(self, token: re.Match[str], field: str | None, depth: int, negative: bool) -> _Operand:
        if token.lastgroup == "open":
            return self.group(field, depth + 1, negative)
        text = token[0]
        plain = text.isascii() and text.isalnum() and len(text) <= analysis.LONGEST  # one word, as most chunks
        if token.lastgroup == "phrase":
            return self.phrase(token["phrase"], field)
        if token.lastgroup == "slop":
            return self.phrase(token["near"], field, min(int(token["slop"][:3]), MOST_BETWEEN))
        if self.unfinished and token.end() == len(self.text) and not negative:
            return self.beginning(text, field)
        if plain:
            ((stem, form, _),) = analysis.parts(text, self.shouting)
            return _Operand(text, (Word(stem, form, field),), plain=True)
        return self.chunk(text, field)

    def phrase(self, text: str, field: str | None, slop: int | None = None) -> _Operand:
        """What stands between quotation marks: side by side as typed; or near each other, in any form."""
        self.phrases += 1
        if self.phrases > MOST_PHRASES:
            self.ignore(f'"{text}"', f"a query has {MOST_PHRASES} phrases at most")
            return _Operand(text)
        words = tuple(word for match in analysis.WORD.finditer(text) for word in self.side_by_side(match[0]))
        if words and "*" in text:
            self.ignore(text, "a star between quotation marks stands for nothing")
        if not words:
            return _Operand(text)
        return _Operand(text, (Phrase(words, True, field) if slop is None else Near(words, slop, field),))

    def bound(self, token: re.Match[str], negative: bool) -> None:
        """`after:2023` is that year and what came after it, `before:2023` all that came before: one or the other."""
        try:
            start = dates.span(token["date"].rstrip(".,;!?"), self.timezone).start
        except ValueError as problem:
            self.ignore(token[0], f"that is no date; {problem}")
            return
        if (token["edge"].lower() == "after") != negative:
            self.after = max(self.after or start, start)
        else:
            self.before = min(self.before or start, start)

    def side_by_side(self, raw: str) -> tuple[Word, ...]:
        return tuple(Word(part.stem, part.form) for part in analysis.parts(raw, self.shouting) if part.step)

    def chunk(self, text: str, field: str | None) -> _Operand:
        """Everything up to the next space: mostly one word."""
        clauses: list[Clause] = []
        stars = text.count("*")
        for match in analysis.WORD.finditer(text):
            if text[match.end() :].rstrip(".,;:!?") == "*" and (begin := _begin(match[0])):
                clauses.append(Prefix(begin, field))
                stars -= 1
            elif words := self.side_by_side(match[0]):
                clauses.append(self.either_spelling(match[0], words, field))
        if clauses and stars:
            self.ignore("*", f"a star stands after {SHORTEST_PREFIX} letters or more, at the end of a word")
        return _Operand(text, tuple(clauses), plain=len(clauses) == 1 and isinstance(clauses[0], Word))

    def beginning(self, text: str, field: str | None) -> _Operand:
        """The last chunk, while it is typed: its word, or all that begin so."""
        whole = self.chunk(text, field)
        last = list(analysis.WORD.finditer(text))[-1:]
        if len(whole.clauses) != 1 or not last or last[0].end() != len(text) or not (begin := _begin(last[0][0])):
            return whole
        return _Operand(text, (Either((*whole.clauses, Prefix(begin, field)), spellings=True),), plain=whole.plain)

    def either_spelling(self, raw: str, words: tuple[Word, ...], field: str | None) -> Clause:
        """The word; or, of a hyphenated one, its words side by side or joined: `e-mail`, `e mail`, `email`."""
        if len(words) == 1:
            return replace(words[0], field=field) if field else words[0]
        phrase = Phrase(words, exact=False, field=field)
        joined = [Word(part.stem, part.form, field) for part in analysis.parts(raw, self.shouting) if not part.step]
        return Either((*joined, phrase), spellings=True) if joined else phrase

    def settle(self, rows: list[list[_Operand]]) -> list[Clause]:
        """What is required of these: all but the stop words that other words stand beside.

        A stop word, required or not, scores where it stands next to its neighbour: The Who is more than its words.
        Other words score where they stand near the one typed before them. Of stop words alone that says all there is
        to say, and is asked of every article.
        """
        plain = [row[0] if len(row) == 1 and row[0].plain else None for row in rows]
        stops = [operand is not None and _is_stop(operand) for operand in plain]
        capital = [operand is not None and _is_capital(operand) for operand in plain]
        if self.shouting or (sum(stops) > 1 and all(capital)):  # All in Capitals, Like a Title: they mean nothing
            capital = [False] * len(rows)
        required: list[Clause] = []
        for i, (row, operand) in enumerate(zip(rows, plain, strict=True)):
            beside = [j for j in (i - 1, i + 1) if 0 <= j < len(rows)]
            is_name = capital[i] and any(capital[j] and not stops[j] for j in beside)  # Theresa May, Will Smith
            if operand is None or not stops[i] or all(stops) or is_name or _is_acronym(operand):
                required += _row(row)
            else:
                self.spared.append(_word(operand))
        pairs = [(left, right) for left, right in pairwise(plain) if left and right]
        if all(stops):
            self.optional += [_side_by_side(*pair) for pair in pairs]
            return required
        self.near += [_near(*pair, slop=0) for pair in pairs if any(map(_is_stop, pair))]
        telling = [operand for operand, is_stop in zip(plain, stops, strict=True) if not is_stop]
        near = [_near(left, right, fields.NEAR) for left, right in pairwise(telling) if left and right]
        self.near += [pair for pair in near if pair.words[0].stem != pair.words[1].stem]
        return required


def _row(row: list[_Operand]) -> tuple[Clause, ...]:
    """One row of operands as clauses that must all match."""
    if len(row) == 1:
        return row[0].clauses
    return (Either(tuple(o.clauses[0] if len(o.clauses) == 1 else Both(o.clauses) for o in row)),)


def _together(operand: _Operand, kind: str | None) -> tuple[Clause, ...]:
    """What is left out by one minus. `-bbc.co.uk` leaves out the three words side by side, not each of them."""
    if len(operand.clauses) < 2:
        return operand.clauses
    words = tuple(clause for clause in operand.clauses if isinstance(clause, Word))
    if kind == "chunk" and len(words) == len(operand.clauses):
        return (Phrase(tuple(replace(word, field=None) for word in words), exact=False, field=words[0].field),)
    return (Both(operand.clauses),)


def _side_by_side(left: _Operand, right: _Operand) -> Phrase:
    words, field = _pair(left, right)
    return Phrase(words, exact=False, field=field)


def _near(left: _Operand, right: _Operand, slop: int) -> Near:
    words, field = _pair(left, right)
    return Near(words, slop, field)


def _pair(left: _Operand, right: _Operand) -> tuple[tuple[Word, Word], str | None]:
    words = (replace(_word(left), field=None), replace(_word(right), field=None))
    return words, _word(left).field


def _word(plain: _Operand) -> Word:
    (clause,) = plain.clauses
    word = clause.of[0] if isinstance(clause, Either) else clause  # the beginning of a word, as a whole one
    assert isinstance(word, Word)
    return word


def _is_stop(operand: _Operand) -> bool:
    """Whether it may be left out: not while it is typed, as `the` may become theatre."""
    return operand.plain and isinstance(operand.clauses[0], Word) and _word(operand).form.lower() in analysis.STOP_WORDS


def _is_acronym(operand: _Operand) -> bool:
    return _word(operand).form != _word(operand).form.lower()


def _is_capital(operand: _Operand) -> bool:
    if not operand.plain or operand.text.islower():
        return False
    return any(match[0][0].isupper() for match in analysis.WORD.finditer(operand.text))


def _begin(raw: str) -> str | None:
    """What a prefix begins with; None if that is too short, or several words."""
    parts = analysis.parts(raw, True)
    forms = [part.form for part in parts if not part.step or len(parts) == 1]
    return forms[0] if forms and len(forms[0]) >= SHORTEST_PREFIX else None
