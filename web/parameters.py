"""Kinds of parameters: how the values of one name in a URL are read, and what is said when they cannot be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from difflib import get_close_matches
from typing import Any

from marshmallow import RAISE, Schema, ValidationError
from marshmallow import fields as marshmallow

from search.dates import Span, span

LONGEST_VALUE = 200  # characters
MOST_VALUES = 50
_NUMBER = re.compile(r"-?[0-9]+")
FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one parameter: a stable code, words for people, the nearest valid name."""

    parameter: str
    code: str
    detail: str
    nearest: str | None = None


class ParameterError(ValueError):
    """The parameters cannot be used as they stand. `problems` names every one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.parameter}: {problem.detail}" for problem in problems))
        self.problems = tuple(problems)


class Parameter(marshmallow.Field[Any]):
    """One parameter: all its values in the URL, never blank, are read to one value. `help` tells programs of it."""

    def __init__(self, help: str, *, most: int = LONGEST_VALUE, required: bool = False) -> None:
        missing = {"code": "missing_parameter", "detail": "it must be given", "nearest": None}
        super().__init__(metadata={"help": help}, required=required, error_messages={"required": missing})
        self.most = most

    def _deserialize(self, value: list[str], *_: Any, **__: Any) -> Any:
        if len(value) > 1:
            raise wrong("repeated", f"it is given {len(value)} times; give it once")
        return self.read(value[0].strip())

    def read(self, text: str) -> Any:
        """The value of the text. Raises ValidationError with a code and a detail."""
        return _short(text, self.most)


class Several(Parameter):
    """Any of several values: the parameter may be repeated."""

    def _deserialize(self, value: list[str], *_: Any, **__: Any) -> tuple[str, ...]:
        if len(value) > MOST_VALUES:
            raise wrong("too_many", f"it is given {len(value)} times; at most {MOST_VALUES} are taken")
        return tuple(dict.fromkeys(self.read(text.strip()) for text in value))


class Names(Parameter):
    """Any of these names, repeated or with commas between them."""

    def __init__(self, of: Sequence[str], help: str) -> None:
        super().__init__(help)
        self.of = of

    def _deserialize(self, value: list[str], *_: Any, **__: Any) -> tuple[str, ...]:
        names = [name.strip() for text in value for name in text.split(",")]
        return tuple(dict.fromkeys(_one_of(name, self.of) for name in names))


class Choice(Names):
    """One of these names."""

    def _deserialize(self, value: list[str], *_: Any, **__: Any) -> Any:
        return Parameter._deserialize(self, value)

    def read(self, text: str) -> str:
        return _one_of(text, self.of)


class Flag(Parameter):
    """Yes or no."""

    def read(self, text: str) -> bool:
        return FLAGS[_one_of(text.lower(), tuple(FLAGS), code="not_a_flag")]


class Number(Parameter):
    """A whole number from `least` to `most`."""

    def __init__(self, least: int, most: int, help: str) -> None:
        super().__init__(help)
        self.least, self.most = least, most

    def read(self, text: str) -> int:
        if not _NUMBER.fullmatch(text):
            raise wrong("not_a_number", f"{quoted(text)} is no whole number from {self.least} to {self.most}")
        number = int(text[:10])  # as good as all of it: no bound has so many digits
        if not self.least <= number <= self.most:
            nearest = self.least if number < self.least else self.most
            raise wrong("out_of_range", f"{quoted(text)} is not from {self.least} to {self.most}", str(nearest))
        return number


class Date(Parameter):
    """A day, month, year or instant, in the timezone of the schema."""

    def read(self, text: str) -> Span:
        assert isinstance(self.root, ParameterSchema)
        try:
            return span(text, self.root.timezone)
        except ValueError as problem:
            raise wrong("not_a_date", f"{quoted(text)} is no date; {problem}") from None


class ParameterSchema(Schema):
    """Takes every parameter that it declares and no other."""

    class Meta:
        unknown = RAISE

    def __init__(self, timezone: tzinfo) -> None:
        super().__init__()
        self.timezone = timezone

    def read(self, given: Mapping[str, Sequence[str]]) -> Any:
        """What is asked. A blank value is no value.

        Raises:
            ParameterError: with every problem, in the order in which the parameters were given.
        """
        values = {name: [text for text in texts if text.strip()] for name, texts in given.items()}
        # A blank value of an unknown name is unknown all the same.
        values = {name: texts for name, texts in values.items() if texts or name not in self.fields}
        try:
            return self.load(values)
        except ValidationError as error:
            messages = error.messages_dict
        raise ParameterError(
            [self._problem(name, messages[name]) for name in dict.fromkeys([*given, *messages]) if name in messages]
        )

    def _problem(self, name: str, message: Any) -> Problem:
        if isinstance(message, dict):
            return Problem(name, **message)
        return Problem(
            name, "unknown_parameter", f"there is no parameter {quoted(name)}", _nearest(name, list(self.fields))
        )


def wrong(code: str, detail: str, nearest: str | None = None, *, names: Sequence[str] = ()) -> ValidationError:
    message = {"code": code, "detail": detail, "nearest": nearest}
    return ValidationError(dict.fromkeys(names, message) if names else message)


def _short(text: str, most: int) -> str:
    if len(text) > most:
        raise wrong("too_long", f"it has {len(text):,} characters; at most {most} are taken")
    return text


def _one_of(name: str, of: Sequence[str], code: str = "unknown_value") -> str:
    if name in of:
        return name
    raise wrong(code, f"{quoted(name)} is none of {', '.join(of)}", _nearest(name, of))


def _nearest(name: str, of: Sequence[str]) -> str | None:
    return next(iter(get_close_matches(name.lower(), of, n=1, cutoff=0.6)), None)


def quoted(text: str) -> str:
    return f"“{shortened(text)}”"


def shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
