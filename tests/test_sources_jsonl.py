"""JSONL: the canonical fields, what is unknown, what is refused with its line, and memory that does not grow."""

import io
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from indexer.sources import Read, Refused, read

ONE = "name it .json, or write one object a line"


def read_lines(*lines: str | bytes) -> list[Read | Refused]:
    data = b"\n".join(line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line for line in lines)
    return list(read(["-"], stdin=io.BytesIO(b'{"id": "first", "title": "T"}\n' + data)))[1:]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json}", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        ("[1, 2]", "not an article: the line is JSON, but no object"),
        ('[{"id": "a"}]', f"an array of JSON: {ONE}"),
        ('{"title": "T', "not JSON: Unterminated string starting at column 11"),
        ('{"title": "T\x01"}', "not JSON: Invalid control character at column 13"),
        (
            '{"title": "T", "published": 1754490600}',
            "published is a number, not a date (write 2025-08-06 or 2025-08-06T",
        ),
        ('{"title": "T", "published": "Wed, 06 Aug 2025 14:30:00 AEST"}', "is not a date (write 2025-08-06 or"),
        ('"text"', "not an article: the line is JSON, but no object"),
        (b'{"title": "Caf\xe9"}', "broken encoding: not UTF-8 at byte 14 of the line (iconv -f WINDOWS-1252 -t UTF-8)"),
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


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{\n"title": "T",\n"body": "x"\n}', f"JSON over several lines: {ONE}"),
        (b'{"title": "T",\n"body": "x"}', f"JSON over several lines: {ONE}"),
        (b'[\n{"title": "T"}\n]', f"JSON over several lines: {ONE}"),
        (b'[{\n"title": "T"\n}]', f"JSON over several lines: {ONE}"),
        (b'[{"title": "T"},\n{"title": "U"}]', f"JSON over several lines: {ONE}"),
        (b'[{"title": "T"}, {"title": "U"}]', f"an array of JSON: {ONE}"),
        (b"PK\x03\x04\x14\0\0\0\n\0\n\0\n", "a binary file, not text"),
        (b"\x1f\x8b\x08\n\0\n\0\n", "a binary file, not text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\n\n", "a binary file, not text"),
        ('{"title": "T"}\n'.encode("utf-16-le") * 2,
         "UTF-16 without its byte order mark (iconv -f UTF-16LE -t UTF-8 FILE)"),
        ('{"title": "T"}\n'.encode("utf-16-be") * 2,
         "UTF-16 without its byte order mark (iconv -f UTF-16BE -t UTF-8 FILE)"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_jsonl_is_refused_once_with_the_remedy(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(data)
    assert list(read([tmp_path])) == [Refused(str(tmp_path / "a.jsonl"), 1, reason)]


@pytest.mark.parametrize(
    "date", ["Wed, 06 Aug 2025 14:30:00 GMT", "6 Aug 2025 16:30 +0200", "2025-08-06T14:30:00Z", "2025-08-06 14:30"]
)
def test_dates_as_feeds_write_them(date: str) -> None:
    (found,) = read_lines(f'{{"id": "a", "title": "T", "published": "{date}"}}')
    assert isinstance(found, Read)
    assert found.article.published == datetime(2025, 8, 6, 14, 30, tzinfo=UTC)


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
        part = b""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            if self.left and not self.part:
                self.left -= 1
                self.part = self.line
            part, self.part = self.part[: len(buffer)], self.part[len(buffer) :]
            buffer[: len(part)] = part
            return len(part)

    stream = io.BufferedReader(Endless(), 2**16)
    tracemalloc.start()
    assert sum(1 for found in read(["-"], stdin=stream) if isinstance(found, Read)) == 4_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000
