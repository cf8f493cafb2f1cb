"""JSONL: the canonical fields, what is unknown, what is refused with its line, and memory that does not grow."""

import io
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone

import pytest

from indexer.sources import Read, Refused, read


def read_lines(*lines: str | bytes) -> list[Read | Refused]:
    data = b"\n".join(line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line for line in lines)
    return list(read(["-"], stdin=io.BytesIO(b'{"id": "first", "title": "T"}\n' + data)))[1:]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json}", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        ("[1, 2]", "not an article: the line is JSON, but no object"),
        ('"text"', "not an article: the line is JSON, but no object"),
        (b'{"title": "Caf\xe9"}', "broken encoding: not UTF-8 at byte 14 of the line"),
        ('{"id": "a"}', "it has neither title nor body"),
        ('{"title": "T", "published": "yesterday"}', "published 'yesterday' is not a date"),
        ('{"title": "T", "published": "2019-02-30", "tags": 3}', "tags is a number, not a list of texts"),
        ('{"title": "T", "score": NaN}', "not JSON: NaN is no JSON number"),
        ('{"title": "T", "score": 1e999}', "holds what JSON cannot"),
        ('{"title": ["T"]}', "title is a list, not text"),
    ],
)
def test_a_line_is_refused_with_its_number_and_the_rest_goes_in(line: str, reason: str) -> None:
    refused, after = read_lines(line, '{"id": "z", "title": "After"}')
    assert isinstance(refused, Refused)
    assert refused.line == 2
    assert reason in refused.reason
    assert isinstance(after, Read)
    assert (after.article.id, after.line) == ("z", 3)


def test_unknown_fields_are_kept_and_said_once() -> None:
    line = '{"id": "a%d", "title": "T", "desk": "Night", "author": "Ann Poe and John Roe; Kim Li"}'
    first, second = read_lines(line % 1, line % 2)
    assert isinstance(first, Read)
    assert isinstance(second, Read)
    assert first.notes == ("field 'author' read as 'authors'", "unknown field 'desk' kept in extra")
    assert second.notes == ()
    assert second.article.extra == {"desk": "Night"}
    assert second.article.authors == ("Ann Poe", "John Roe", "Kim Li")


@pytest.mark.parametrize("head", ["{", "[", "[{"])
def test_json_over_several_lines_is_refused_once_with_the_remedy(head: str) -> None:
    found = list(read(["-"], stdin=io.BytesIO(f'{head}\n"title": "T",\n"body": "x"\n}}'.encode())))
    if head != "[":
        (refused,) = found
        assert isinstance(refused, Refused)
        assert "jq -c" in refused.reason


def test_without_id_and_url_a_line_added_above_changes_no_id() -> None:
    lines = ['{"title": "T", "published": "2025-08-06"}', '{"title": "T", "published": "2025-08-07"}']
    before = [found.article.id for found in read_lines(*lines) if isinstance(found, Read)]
    after = [found.article.id for found in read_lines('{"title": "New"}', *lines) if isinstance(found, Read)]
    assert len(set(before)) == 2
    assert after[1:] == before


def test_the_section_of_the_import_is_a_default_and_the_zone_is_that_of_dates_without_one() -> None:
    data = b'{"title": "A", "section": "World", "published": "2025-08-06"}\n{"title": "B"}'
    east = timezone(timedelta(hours=2))
    a, b = read(["-"], section="News", timezone=east, stdin=io.BytesIO(data))
    assert isinstance(a, Read)
    assert isinstance(b, Read)
    assert (a.article.section, b.article.section) == ("World", "News")
    assert a.article.published == datetime(2025, 8, 5, 22, tzinfo=UTC)


def test_a_long_file_takes_no_memory() -> None:
    class Endless(io.RawIOBase):
        """40 MB of lines."""

        left = 4_000
        line = b'{"id": "a", "title": "T", "body": "' + b"word " * 2_000 + b'"}\n'

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            if not self.left:
                return 0
            self.left -= 1
            buffer[: len(self.line)] = self.line
            return len(self.line)

    stream = io.BufferedReader(Endless(), 2**16)
    tracemalloc.start()
    assert sum(1 for found in read(["-"], stdin=stream) if isinstance(found, Read)) == 4_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000
