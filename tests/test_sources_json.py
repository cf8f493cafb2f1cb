"""JSON that is not ours: lists and single objects, as a stream, by the names that exports use or by a mapping file."""

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from indexer.sources import Names, Read, Refused, mapping, read
from indexer.sources.json_stream import objects
from search.article import to_dict

ONE = {"id": "a", "title": "Snow", "body": "It fell."}


def found(data: Any, names: Names | None = None, **options: Any) -> list[Read | Refused]:
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return list(read(["-"], stdin=io.BytesIO(text), mapping=names, **options))


def only(data: Any, names: Names | None = None) -> tuple[dict[str, Any], tuple[str, ...]]:
    (one,) = found(data, names)
    assert isinstance(one, Read), one
    return to_dict(one.article), one.notes


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ('[{"a": 1}, {"a": [2, {"b": null}]}]', "", [{"a": 1}, {"a": [2, {"b": None}]}]),
        ('{"a": 1}\n{"a": 2.5}', "", [{"a": 1}, {"a": 2.5}]),
        ('{"x": {"a": 0}, "docs": [{"a": 1}], "y": []}', "docs", [{"a": 1}]),
        ('{"r": {"docs": [{"docs": 1}, {"a": 2}]}}', "r.docs", [{"docs": 1}, {"a": 2}]),
        ('{"db": [{"data": {"posts": [{"a": 1}]}}]}', "db.data.posts", [{"a": 1}]),
        ('{"docs": {"a": 1}}', "docs", [{"a": 1}]),
        ('{"a": 1}', "docs", []),
        ("[1, [2], {}]", "", [1, 2, {}]),
        ("[]", "", []),
        ('\ufeff[{"a": 1}]', "", [{"a": 1}]),
        ('[{"a": {"a": true, "b": {"a": ""}}, "a2": 3}]', "", [{"a": {"a": True, "b": {"a": ""}}, "a2": 3}]),
    ],
)
def test_the_objects_of_a_stream(text: str, path: str, expected: list[Any]) -> None:
    assert list(objects(io.BytesIO(text.encode()), path)) == expected


@pytest.mark.parametrize(
    ("data", "reasons"),
    [
        (b"[]", ["empty"]),
        (
            [{"id": "x"}, ONE, 3],
            ["entry 1: it has neither title nor body", None, "entry 3: not an article: it is JSON, but no object"],
        ),
        (
            b'[{"title": "a"}, {"title": ',
            [None, "not JSON: parse error: premature EOF behind entry 1, where reading ended"],
        ),
        (b'[{"title": NaN}]', ["not JSON: lexical error: invalid char in json text"]),
        (b'[{"title": "\xff"}]', ["not JSON: lexical error: invalid bytes in UTF8 string"]),
        (
            b'[{"title": "a", "n": 1e999}]',
            ["entry 1: holds what JSON cannot: Out of range float values are not JSON compliant"],
        ),
        (b'[{"title": "a", "n": ' + b"9" * 5_000 + b"}]", ["not JSON: "]),
        (b'[{"a": ' + b"[" * 100_000, ["not an article: nested too deeply"]),
    ],
)
def test_what_is_refused(data: Any, reasons: list[str | None]) -> None:
    items = found(data)
    assert len(items) == len(reasons)
    for item, reason in zip(items, reasons, strict=True):
        assert isinstance(item, Read) if reason is None else item.reason.startswith(reason), item


def test_a_list_that_breaks_off_is_known_as_such() -> None:
    *_, last = found(json.dumps([ONE] * 3).encode()[:-20])
    assert isinstance(last, Refused)
    assert last.unread


def test_brackets_without_end_take_no_memory() -> None:
    tracemalloc.start()
    for start in (b"[", b'[{"a":', b'{"a":'):
        found(b'{"title": "a"}\n[' + start * 100_000)
        found(start * 100_000)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


class Endless(io.RawIOBase):
    """A file that nobody could keep."""

    def __init__(self, start: bytes, more: bytes) -> None:
        self._left, self._more = start, more
        self.read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        while len(self._left) < len(buffer):
            self._left += self._more
        buffer[:], self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        self.read_bytes += len(buffer)
        return len(buffer)


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b'[{"title": "a"}', b',{"title": "a"}' * 100),
        (b"title,body\n", b'Snow,"It\nfell."\n' * 100),
        (b"title;body\n", b"Snow;It fell.\n" * 100),
    ],
)
def test_what_has_no_end_is_read_as_far_as_it_is_asked_for(start: bytes, more: bytes) -> None:
    stream = Endless(start, more)
    items = read(["-"], stdin=io.BufferedReader(stream))
    for _ in range(20_000):
        assert isinstance(next(items), Read)
    assert stream.read_bytes < 1_000_000


@pytest.mark.parametrize(
    ("start", "more"),
    [(b'[{"title": "a', b"b" * 8_000), (b'[{"title": ["a"', b',"b"' * 2_000), (b'title,body\na,"', b"b\n" * 4_000)],
)
def test_an_entry_without_end_is_refused(start: bytes, more: bytes) -> None:
    (refused,) = read(["-"], stdin=io.BufferedReader(Endless(start, more)))
    assert isinstance(refused, Refused)
    assert refused.unread or "larger" in refused.reason or "limit" in refused.reason


@pytest.mark.parametrize(
    ("record", "fields", "noted"),
    [
        ({"headline": "H", "content": "C"}, {"title": "H", "body": "C"}, ["headline", "content"]),
        ({"title": "T", "headline": "H", "body": "B"}, {"title": "T", "extra": {"headline": "H"}}, []),
        ({"title": "", "headline": "H"}, {"title": "H"}, ["headline"]),
        ({"title": "T", "author": "Ana Lima and Joe Hu"}, {"authors": ["Ana Lima", "Joe Hu"]}, ["author"]),
        ({"title": "T", "author": {"name": "x"}}, {"extra": {"author": {"name": "x"}}}, []),
        ({"title": "T", "date": "August 6, 2025"}, {"published": "2025-08-06T00:00:00Z"}, ["date"]),
        ({"title": "T", "date": "soon"}, {"extra": {"date": "soon"}}, []),
        ({"title": "T", "link": "https://a.example/x"}, {"url": "https://a.example/x"}, ["link"]),
        ({"title": "T", "link": "/x"}, {"extra": {"link": "/x"}}, []),
        ({"Title": "T", "Language": "en"}, {"title": "T", "language": "en"}, []),
        ({"title": "T", "published": "Aug 6, 2025"}, {"published": "2025-08-06T00:00:00Z"}, []),
        ({"title": "T", "body": "<p>B</p>"}, {"body": "<p>B</p>"}, ["looks like HTML"]),
    ],
)
def test_names_that_exports_use_are_known_and_said(record: Any, fields: dict[str, Any], noted: list[str]) -> None:
    data, notes = only([record])
    assert {name: data[name] for name in fields} == fields
    said = [note for note in notes if "read as" in note or "HTML" in note]
    assert len(said) == len(noted)
    assert all(name in " ".join(said) for name in noted)


def names(tmp_path: Path, text: str) -> Names:
    (tmp_path / "mapping.toml").write_text(text)
    return mapping.load(tmp_path / "mapping.toml")


PUBLISHED = {"published": "2025-08-06T14:30:00Z"}
RECORD = {
    "no": 7,
    "title": {"rendered": "Snow &amp; ice"},
    "parts": ["One.", "Two."],
    "author": {"name": "Ana"},
    "people": [{"name": "Ana Lima"}, {"name": "Joe Hu"}, {}],
    "topics": "alps; snow ;",
    "when": "06/08/2025 14:30",
    "at": 1754490600,
    "at_ms": "1754490600000",
    "a.b": "dotted",
    "html": "<h2>Huts</h2><p>It fell.</p><script>x</script>",
    "secret": "x",
}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('[fields]\ntitle = "a.b"', {"title": "dotted"}),
        ('html = ["title"]\n[fields]\ntitle = "title.rendered"', {"title": "Snow & ice"}),
        ('[fields]\ntitle = ["none", "a.b"]', {"title": "dotted"}),
        ('[fields]\ntitle = "a.b"\nbody = "parts"', {"body": "One.\n\nTwo."}),
        ('[fields]\ntitle = "a.b"\nbody = "parts.1"', {"body": "Two."}),
        ('[fields]\ntitle = "a.b"\nauthors = "people.name"', {"authors": ["Ana Lima", "Joe Hu"]}),
        ('[fields]\ntitle = "a.b"\nauthors = "author.name"', {"authors": ["Ana"]}),
        ('separator = ";"\n[fields]\ntitle = "a.b"\ntags = "topics"', {"tags": ["alps", "snow"]}),
        ('date_format = "%d/%m/%Y %H:%M"\n[fields]\ntitle = "a.b"\npublished = "when"', PUBLISHED),
        ('date_format = "unix"\n[fields]\ntitle = "a.b"\npublished = "at"', PUBLISHED),
        ('date_format = "unix"\n[fields]\ntitle = "a.b"\npublished = "at_ms"', PUBLISHED),
        ('html = ["body"]\n[fields]\ntitle = "a.b"\nbody = "html"', {"body": "Huts\n\nIt fell.", "subheads": ["Huts"]}),
        ('[fields]\ntitle = "a.b"\n[constants]\nsection = "Wire"\ntags = ["x"]', {"section": "Wire", "tags": ["x"]}),
        ('[fields]\ntitle = "a.b"\nid = "no"', {"id": "7"}),
    ],
)
def test_a_mapping_names_the_fields(tmp_path: Path, text: str, fields: dict[str, Any]) -> None:
    data, notes = only([RECORD], names(tmp_path, text))
    assert {name: data.get(name) for name in fields} == fields
    assert data["extra"]["secret"] == "x"
    assert "unknown field 'secret' kept in extra" in notes
    for line in (RECORD, {"response": {"docs": [RECORD, RECORD]}}):
        where = 'articles = "response.docs"\n' if "response" in line else ""
        items = found(json.dumps(line, indent=1).encode(), names(tmp_path, where + text))
        assert [to_dict(item.article) for item in items if isinstance(item, Read)][-1]["title"] == data["title"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[fields", "is no TOML: "),
        ("", "it says nothing: write [fields]"),
        ('[field]\ntitle = "x"', "unknown key 'field': did you mean 'fields'? there are "),
        ('[fields]\nheadline = "x"', "unknown field in [fields]: 'headline': did you mean"),
        ('[fields]\ntitel = "x"', "unknown field in [fields]: 'titel': did you mean 'title'?"),
        ('[constants]\nsecton = "x"', "unknown field in [constants]: 'secton': did you mean 'section'?"),
        ('html = ["boddy"]', "unknown field in html: 'boddy': did you mean 'body'?"),
        ("[fields]\ntitle = 3", "fields.title is neither a text nor a list of texts"),
        ("fields = 3", "fields is no table: write [fields]"),
        ("separator = 3", "separator is not a text"),
        ('[fields]\nsection = "a"\n[constants]\nsection = "b"', "'section' stands in [fields] and in [constants]"),
    ],
)
def test_a_mapping_that_is_wrong_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(mapping.MappingError) as problem:
        names(tmp_path, text)
    assert said in str(problem.value)
    assert "mapping.toml" in str(problem.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'date_format = "%Y"\n[fields]\npublished = "when"\ntitle = "a.b"',
            "entry 1: '06/08/2025 14:30' is no date of the form '%Y'",
        ),
        (
            'date_format = "unix"\n[fields]\npublished = "when"\ntitle = "a.b"',
            "entry 1: '06/08/2025 14:30' is no Unix time",
        ),
        ('[fields]\ntitle = "title"', "entry 1: title is an object, not text; it has neither title nor body"),
        ('articles = "docs"\n[fields]\ntitle = "a.b"', "no article lies at 'docs'"),
    ],
)
def test_what_a_mapping_does_not_fit_is_said(tmp_path: Path, text: str, said: str) -> None:
    (refused,) = found([RECORD], names(tmp_path, text))
    assert isinstance(refused, Refused)
    assert refused.reason == said


def test_a_name_in_the_mapping_that_is_not_there_is_noted(tmp_path: Path) -> None:
    _, notes = only([RECORD], names(tmp_path, '[fields]\ntitle = "a.b"\nbody = "text.html"'))
    assert any(
        note.startswith("the mapping has 'body' from 'text.html', which is not there (no, title") for note in notes
    )
