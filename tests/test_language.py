"""The languages of the page: every text is in every catalogue, and numbers and dates are those of the language."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from texts import catalogue, texts

from search.query import parse
from search.reader import Ignored
from web.language import LANGUAGES, TRANSLATIONS, Language
from web.notices import REASONS

_NAMED = re.compile(r"%\((\w+)\)s")
TRANSLATED = [language for language in LANGUAGES if language != "en"]


def named(message: str | tuple[str, ...]) -> set[str]:
    return set(_NAMED.findall(" ".join([message] if isinstance(message, str) else message)))


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_in_every_language(language: str) -> None:
    held = catalogue(TRANSLATIONS / f"{language}.po")
    wanted = {message.id for message in texts() if message.id}
    assert {message.id for message in held if message.id} == wanted, "`make texts` brings the catalogues up to date"
    for message in held:
        if not message.id:
            continue
        strings = (message.string,) if isinstance(message.string, str) else message.string
        assert all(strings), f"{message.id} has no {language}"
        assert "fuzzy" not in message.flags
        assert len(strings) == (held.num_plurals if isinstance(message.id, tuple) else 1)
        for string in strings:
            # One thing and two may go without their number: in Arabic the word says it.
            assert named(message.id) - {"num"} <= named(string) <= named(message.id), f"{message.id}: {string}"


def test_there_are_the_languages_that_are_promised() -> None:
    assert set(LANGUAGES) >= {"en", "de", "fr", "es", "ar"}


@pytest.mark.parametrize(
    "typed",
    [
        *("?!", 'snow "ice', "(snow OR after:2020)", "((((((((((snow))))))))))", "-(a -b)", "NOT", "a OR -b"),
        *(" ".join(f'"a b{n}"' for n in range(12)), '"snow*"', "after:soon", "sn*", "x" * 600, "x " * 600),
    ],
)
def test_every_reason_has_a_text(typed: str) -> None:
    ignored: tuple[Ignored, ...] = parse(typed, timezone=UTC).ignored
    assert ignored
    assert {part.reason for part in ignored} <= set(REASONS)


@pytest.mark.parametrize(
    ("tag", "number", "day", "month", "within", "several"),
    [
        ("en-GB", "12,345", "6 August 2025", "August 2025", "August", "6 August 2025 to 3 March 2026"),
        ("en-US", "12,345", "August 6, 2025", "August 2025", "August", "August 6, 2025 to March 3, 2026"),
        ("de", "12.345", "6. August 2025", "August 2025", "August", "6. August 2025 bis 3. März 2026"),
        ("fr", "12 345", "6 août 2025", "août 2025", "août", "du 6 août 2025 au 3 mars 2026"),
        (
            "es",
            "12.345",
            "6 de agosto de 2025",
            "agosto de 2025",
            "agosto",
            "del 6 de agosto de 2025 al 3 de marzo de 2026",
        ),
    ],
)
def test_numbers_and_dates(tag: str, number: str, day: str, month: str, within: str, several: str) -> None:
    language = Language(tag)
    assert language.number(12345).replace("\u202f", " ").replace("\xa0", " ") == number
    assert language.day(date(2025, 8, 6)) == day
    assert (language.period("2025"), language.period("2025-08"), language.period("2025-08-06")) == ("2025", month, day)
    assert language.period("2025-08", "within") == within
    span = datetime(2025, 8, 6, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC)
    assert language.span(*span, UTC) == several


@pytest.mark.parametrize(
    ("tag", "count", "text"), [("en", 1, "1 article"), ("de", 2, "2 Artikel"), ("fr", 0, "0 article")]
)
def test_plurals(tag: str, count: int, text: str) -> None:
    assert Language(tag).texts_for("%(num)s article", "%(num)s articles", count) == text


def test_arabic_has_six_plurals_and_runs_from_the_right() -> None:
    arabic = Language("ar")
    assert arabic.direction == "rtl"
    assert len({arabic.texts_for("%(num)s article", "%(num)s articles", n) for n in (0, 1, 2, 3, 11, 100)}) == 6


@pytest.mark.parametrize("tag", ["xx", "", "klingon", "ja", "en GB", "../de"])
def test_a_language_without_texts_is_refused_by_name(tag: str) -> None:
    with pytest.raises(ValueError, match="write one of en, "):
        Language(tag)
