"""The language of the page: its texts by a catalogue, its numbers and dates as the CLDR has them."""

from __future__ import annotations

import gettext
from datetime import date, datetime, tzinfo
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from search import dates

TRANSLATIONS = Path(__file__).parent / "translations"
SOURCE = "en"  # what the texts in templates and modules are written in
LANGUAGES = (SOURCE, *sorted(path.stem for path in TRANSLATIONS.glob("*.po")))

# How the name of a period is written by itself, and inside the next larger one: CLDR skeletons by its length.
_WHOLE = {4: "y", 7: "yMMMM", 10: "yMMMMd"}
_WITHIN = {4: "y", 7: "MMMM", 10: "MMMMd"}
_SHORT = {4: "y", 7: "MMM", 10: "d"}
_BRIEF = {4: "y", 7: "yMMM", 10: "yMMMd"}


def msg(text: str) -> str:
    """The same: it marks a text of a table for the catalogue, which is asked when the text is shown."""
    return text


class Language:
    """One language, with the habits of one country: `en-GB`, `en-US`, `de`, `ar-EG`."""

    def __init__(self, tag: str) -> None:
        """
        Raises:
            ValueError: where the page has no texts in it; the message names those that there are.
        """
        if (locale := _locale(tag)) is None or locale.language not in LANGUAGES:
            raise ValueError(f"write one of {', '.join(LANGUAGES)}, with or without a country, such as en-GB")
        self.tag = tag
        self.locale = locale
        self.direction = self.locale.text_direction
        self.texts = catalogue(self.locale.language)
        self.period = lru_cache(2**12)(self._period)  # the same periods come again with every answer

    def text(self, message: str, **values: Any) -> str:
        """The text in this language, with its `%(named)s` values."""
        return self.texts.gettext(message) % values

    def texts_for(self, one: str, many: str, count: int, **values: Any) -> str:
        """One text or the other, by the number and the grammar of this language."""
        return self.texts.ngettext(one, many, count) % {"num": self.number(count), **values}

    def number(self, value: int) -> str:
        """1,234"""
        return format_decimal(value, locale=self.locale)

    def day(self, moment: date) -> str:
        """6 August 2025"""
        return format_date(moment, "long", locale=self.locale)

    def name_of(self, filter: str, value: str) -> str:
        """What a value of a filter is called: a language by its name, all else by itself."""
        locale = _locale(value) if filter == "language" else None
        return (locale and locale.get_display_name(self.locale)) or value

    def _period(self, value: str, style: str = "whole") -> str:
        """The name of a period: `2025-08` is August 2025, `brief` Aug 2025, `within` its year August, `short` Aug."""
        parts = [int(part) for part in value.split("-")]
        first = date(*parts, *(1, 1)[len(parts) - 1 :])
        if style == "whole" and len(parts) == 3:
            return self.day(first)
        skeletons = {"whole": _WHOLE, "brief": _BRIEF, "within": _WITHIN, "short": _SHORT}[style]
        if len(parts) == 2 and style in ("within", "short"):  # the name of a month that stands alone
            return format_date(first, {"within": "LLLL", "short": "LLL"}[style], locale=self.locale)
        return str(format_skeleton(skeletons[len(value)], first, locale=self.locale))

    def span(self, start: datetime | None, end: datetime | None, timezone: tzinfo) -> str:
        """The name of a range of days: August 2025, 2023 – 2025, or 6 August 2025 to 3 March 2026."""
        first = dates.day(start, timezone) if start else None
        last = dates.last_day(end, timezone) if end else None
        if first and last:
            if value := dates.period(first, last, timezone):
                return self.period(value)
            if both := dates.periods(first, last, timezone):
                return " – ".join(map(self.period, both))
            return self.text("%(first)s to %(last)s", first=self.day(first), last=self.day(last))
        if first:
            return self.text("from %(first)s", first=self.day(first))
        return self.text("until %(last)s", last=self.day(last)) if last else ""


def _locale(tag: str) -> Locale | None:
    """What the CLDR knows of this language, if anything."""
    try:
        return Locale.parse(tag, sep="-")
    except (ValueError, UnknownLocaleError):
        return None


def catalogue(language: str) -> gettext.NullTranslations:
    """The texts of a language: compiled when the service starts, so that what is read is what is run."""
    if language == SOURCE:
        return gettext.NullTranslations()
    compiled = BytesIO()
    with (TRANSLATIONS / f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
