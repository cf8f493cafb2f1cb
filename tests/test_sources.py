"""From files to articles: what is found, by which reader, under which name, and that no bytes stop the rest."""

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scale import SOAK

from indexer.sources import READERS, Read, Refused, files, read
from search.article import digest, make_id

LINE = '{"id": "a", "title": "Snow", "body": "It fell."}'
POST = "---\ntitle: Snow\n---\nIt fell."
PAGE = "<!doctype html><title>Snow falls on the huts</title><p>It fell all night, and in the morning nobody came up."
DUMP = "Snow falls\n\nIt fell all night.\n"


def read_bytes(data: bytes, **options: object) -> list[Read | Refused]:
    return list(read(["-"], stdin=io.BytesIO(data), **options))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (LINE, "Snow"),
        ("\ufeff" + LINE, "Snow"),
        ("\n\n" + LINE, "Snow"),
        (POST, "Snow"),
        ('+++\ntitle = "Snow"\n+++\nIt fell.', "Snow"),
        ('{\n "title": "Snow"\n}\n\nIt fell.', "Snow"),
        (PAGE, "Snow falls on the huts"),
        ('<?xml version="1.0" encoding="utf-8"?>\n<!-- saved -->' + PAGE, "Snow falls on the huts"),
        (DUMP, "Snow falls"),
        ("--- \nA letter, between dashes", "---"),
    ],
)
def test_the_content_decides_on_standard_input(text: str, title: str) -> None:
    (found,) = read_bytes(text.encode())
    if title == "---":
        assert isinstance(found, Refused | Read)
    else:
        assert isinstance(found, Read)
        assert found.article.title == title
        assert found.file == "standard input"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "b.jsonl": LINE,
        "a.md": POST,
        "travel/c.html": PAGE,
        "travel/deep/d.txt": DUMP,
        "e.HTM": PAGE,
        "picture.png": "\x89PNG",
        "table.csv": "a,b",
        ".hidden.md": POST,
        ".git/x.md": POST,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_folder_is_read_in_order_without_what_is_hidden_or_of_other_kinds(folder: Path) -> None:
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    assert [Path(found.file).name for found in read([folder])] == ["a.md", "b.jsonl", "e.HTM", "c.html", "d.txt"]
    assert all(isinstance(found, Read) for found in read([folder]))


def test_the_same_folder_elsewhere_gives_the_same_ids(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("moved") / "corpus"
    folder.rename(elsewhere)
    ids = {Path(found.file).name: found.article.id for found in read([elsewhere]) if isinstance(found, Read)}
    assert ids["d.txt"] == make_id("corpus/travel/deep/d.txt")
    assert ids["a.md"] == make_id("corpus/a.md")


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("A", "A/story.md"),
        ("A/", "A/story.md"),
        ("B", "B/story.md"),
        ("A/sub", "sub/x.md"),
        ("A/sub/..", "A/story.md"),
        ("link", "A/story.md"),
        ("A/story.md", "A/story.md"),
        ("A/sub/x.md", "sub/x.md"),
    ],
)
def test_an_id_is_of_the_path_from_the_named_folder_on(tmp_path: Path, path: str, key: str) -> None:
    for name in ("A/story.md", "A/sub/x.md", "B/story.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(POST)
    (tmp_path / "link").symlink_to(tmp_path / "A")
    first = next(read([f"{tmp_path}/{path}"]))
    assert isinstance(first, Read)
    assert (first.article.id, first.from_path) == (make_id(key), True)


def test_the_folder_where_one_stands_has_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "travel" / "deep")
    for path in (".", "d.txt"):
        (found,) = read([path])
        assert isinstance(found, Read)
        assert found.article.id == make_id("deep/d.txt")


@pytest.mark.parametrize(
    ("name", "text", "from_path"),
    [
        ("a.md", POST, True),
        ("a.md", POST.replace("title", "id: x\ntitle"), False),
        ("a.md", POST.replace("title", "url: https://news.example/x\ntitle"), False),
        ("a.md", POST.replace("title", "url: /x\ntitle"), True),
        ("a.jsonl", LINE, False),
        ("a.jsonl", '{"title": "Snow"}', True),
        ("a.jsonl", '{"title": "Snow", "id": " "}', True),
        ("a.jsonl", '{"title": "Snow", "id": 0}', False),
        ("a.html", PAGE, True),
        ("a.html", PAGE.replace("<p>", "<link rel=canonical href=https://news.example/x><p>"), False),
        ("a.txt", DUMP, True),
    ],
)
def test_an_id_that_is_made_of_the_path_is_known_as_such(tmp_path: Path, name: str, text: str, from_path: bool) -> None:
    (tmp_path / name).write_text(text)
    (found,) = read([tmp_path])
    assert isinstance(found, Read)
    assert found.from_path == from_path


def test_the_lines_of_a_file_have_ids_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"title": "Snow"}\n{"title": "Ice"}\n')
    assert len({found.article.id for found in read([tmp_path]) if isinstance(found, Read)}) == 2


@pytest.mark.parametrize("call", ["iterdir", "stat", "is_dir"])
def test_a_folder_that_cannot_be_entered_is_refused_and_the_rest_goes_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    allowed = getattr(Path, call)

    def forbidden(path: Path, **options: bool) -> object:
        if path.name == "travel":
            raise PermissionError(13, "Permission denied", str(path))
        return allowed(path, **options)

    monkeypatch.setattr(Path, call, forbidden)
    found = list(read([folder]))
    assert Refused(str(folder / "travel"), None, "cannot be read: Permission denied", unread=True) in found
    assert [Path(f.file).name for f in found if isinstance(f, Read)] == ["a.md", "b.jsonl", "e.HTM"]


def test_a_named_folder_that_cannot_be_entered_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", forbidden)
    assert list(read([folder])) == [Refused(str(folder), None, "cannot be read: Permission denied", unread=True)]


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("a.json", f"[{LINE}]", 1),
        ("a.json", LINE, 1),
        ("a.json", '{\n "headline": "Snow",\n "content": "It fell."\n}', 1),
        ("a.json", '[{"title": "Home", "url": "/"}]', 0),  # a menu
        ("a.json", '{"name": "broadsheet", "version": 1}', 0),
        ("a.json", '[{"name": "broadsheet"}]', 0),
        ("a.json", "[1, 2]", 0),
        ("a.json", "", 0),
        ("a.csv", "id,title,body\n1,Snow,It fell.\n", 1),
        ("a.tsv", "Date\tHeadline\tText\n2025-01-01\tSnow\tIt fell.\n", 1),
        ("a.csv", "country,population\nFrance,68\n", 0),
        ("a.csv", "title\nSnow\n", 0),
        ("a.csv", "", 0),
        ("a.xml", "<project/>", 0),
    ],
)
def test_what_may_be_anything_is_read_in_a_folder_if_it_holds_articles(
    tmp_path: Path, name: str, text: str, count: int
) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / name).write_text(text, encoding=encoding)
        assert [type(found) for found in read([tmp_path])] == [Read] * count
        assert len(list(read([tmp_path / name]))) == 1, "what is named is read or refused"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("**/*", ["a.md", "b.jsonl", "e.HTM", "travel/c.html", "travel/deep/d.txt"]),
        ("**", ["a.md", "b.jsonl", "e.HTM", "travel/c.html", "travel/deep/d.txt"]),
        ("*.md", ["a.md"]),
        ("**/[cd].*", ["travel/c.html", "travel/deep/d.txt"]),
        ("travel/*/?.txt", ["travel/deep/d.txt"]),
        ("*.*", ["a.md", "b.jsonl", "e.HTM"]),
    ],
)
def test_a_pattern_is_its_folder_with_fewer_files(folder: Path, pattern: str, names: list[str]) -> None:
    plain = folder / pattern.split("*")[0].split("[")[0].rstrip("/")
    wanted = {f.file: f.article.id for f in read([plain]) if isinstance(f, Read)}
    found = list(read([f"{folder}/{pattern}"]))
    assert [str(Path(f.file).relative_to(folder)) for f in found] == names
    assert all(isinstance(f, Read) and f.article.id == wanted[f.file] for f in found)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("*.mdx", "this pattern matches no file"),
        ("nowhere/**/*.md", "this pattern matches no file"),
        ("tra*", "this pattern matches folders alone (write FOLDER/** for the files in them)"),
    ],
)
def test_a_pattern_that_matches_nothing_is_refused(folder: Path, pattern: str, reason: str) -> None:
    assert list(read([folder / pattern])) == [Refused(str(folder / pattern), None, reason)]


def test_a_file_that_is_called_like_a_pattern_is_that_file(folder: Path) -> None:
    (folder / "[ab].md").write_text(POST)
    (found,) = read([folder / "[ab].md"])
    assert Path(found.file).name == "[ab].md"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("travel", "{}/travel"),
        ("travel/../travel/c.html", "{}/travel/c.html"),
        ("travel/../**/*.md", "{}/**/*.md"),
        ("./travel/*", "{}/travel/*"),
        ("*", "{}/*"),
    ],
)
def test_a_source_is_the_same_however_its_path_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, path: str, source: str
) -> None:
    monkeypatch.chdir(folder)
    assert files.source(path) == files.source(folder / path) == source.format(folder.resolve())
    assert str(files.folder(files.source(path))).rstrip("/") == source.format(folder.resolve()).split("/*")[0]


def test_what_cannot_be_read_is_named_and_the_rest_goes_in(folder: Path) -> None:
    (folder / "gone.md").symlink_to(folder / "nowhere.md")
    (folder / "empty.md").write_text(" \n")
    (folder / "binary.txt").write_bytes(bytes(range(256)))
    found = list(read([folder / "missing", folder / "picture.png", folder]))
    reasons = {Path(f.file).name: f.reason for f in found if isinstance(f, Refused)}
    assert reasons == {
        "missing": "there is no such file or folder",
        "picture.png": f"no reader for .png (there are readers for {', '.join(READERS)}: convert it, or rename it)",
        "gone.md": "cannot be read: No such file or directory",
        "empty.md": "empty",
        "binary.txt": "a binary file, not text",
    }
    assert sum(isinstance(f, Read) for f in found) == 5


def test_a_name_with_a_zero_byte_is_refused() -> None:
    (found,) = read(["a\0b"])
    assert isinstance(found, Refused)


def test_a_named_file_of_an_unknown_suffix_is_read_if_its_content_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text(LINE)
    (tmp_path / "page").write_text(PAGE)
    assert all(isinstance(found, Read) for found in read([tmp_path / "export.json", tmp_path / "page"]))


def test_a_pipe_is_read_like_a_file() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as end:
        end.write((LINE + "\n").encode() * 900)
    found = list(read([f"/dev/fd/{reading}"]))
    os.close(reading)
    assert len(found) == 900
    assert all(isinstance(f, Read) for f in found)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"Title\n\nCaf\xe9 au lait", "broken encoding: not UTF-8 at byte 10"),
        (b"\xff\xfeT\x00\x00\xd8", "broken encoding: not UTF-16-LE"),
    ],
)
def test_broken_encoding_and_emptiness_have_their_reason(data: bytes, reason: str) -> None:
    (found,) = read_bytes(data)
    assert isinstance(found, Refused)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_jsonl_of_utf_16_is_read_as_a_stream(tmp_path: Path, encoding: str) -> None:
    lines = "\n".join(f'{{"id": "a{n}", "title": "Überschrift ਊ 𝄞 {n}"}}' for n in range(5_000))
    mark = "\ufeff" if encoding.endswith("e") else ""
    (tmp_path / "a.jsonl").write_bytes((mark + lines).encode(encoding))
    for found in (list(read([tmp_path])), read_bytes((mark + lines).encode(encoding))):
        assert [f.article.title for f in found if isinstance(f, Read)] == [f"Überschrift ਊ 𝄞 {n}" for n in range(5_000)]
        assert len(found) == 5_000


def test_utf_16_that_breaks_off_is_refused_behind_what_was_read(tmp_path: Path) -> None:
    whole = "".join(f'{{"id": "a{n}", "title": "Snow"}}\n' for n in range(20_000))
    (tmp_path / "a.jsonl").write_bytes(whole.encode("utf-16")[:-1])
    *before, last = read([tmp_path])
    assert all(isinstance(found, Read) for found in before)
    assert isinstance(last, Refused)
    assert last.reason.startswith("broken encoding: not UTF-16")
    assert before


def test_utf_16_with_its_mark_is_text() -> None:
    (found,) = read_bytes("Überschrift\r\n\r\nEin Satz.".encode("utf-16"))
    assert isinstance(found, Read)
    assert (found.article.title, found.article.body) == ("Überschrift", "Ein Satz.")


SUFFIXES = (*READERS, ".json", ".xml", ".zip", ".gz")
STARTS = [
    "",
    "{",
    '{"title": "a", ',
    "---\n",
    "+++\n",
    "{\n",
    "<html>",
    "<title>a</title><p>",
    "Title\nPublished ",
    "[{",
    "title,body\n",
]
BYTES = st.binary(max_size=200)
TEXT = st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "title: a\n",
                "date: 2019-02-30\n",
                "x: &a [*a]\n",
                "---\n",
                "# h\n",
                "{{< a",
                ">}}",
                "<a>",
                "<!--",
                "-->",
                "\n\n",
            ),
            *(
                "Related Articles\n",
                "-\n",
                "Europe\n",
                "August 05, 2025\n",
                "Updated 3 hours ago\n",
                "Share\n",
                "By A B\n",
            ),
            *(
                "[",
                "{",
                "}",
                '"',
                ":",
                ",",
                "\ud800",
                "\ufeff",
                "NaN",
                "9" * 400,
                "A b. ",
                "Long " * 30 + "\n",
                "“We left.”\n",
            ),
            *('<script type="application/ld+json">', '{"@type":"Article","author":[[', "</script>"),
        ]
    ),
    max_size=12,
).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass"))


@settings(max_examples=60 * SOAK, deadline=None)
@given(start=st.sampled_from(STARTS), data=BYTES | TEXT | PIECES)
def test_no_bytes_stop_any_reader(tmp_path_factory: pytest.TempPathFactory, start: str, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    for suffix in SUFFIXES:
        (folder / f"a{suffix}").write_bytes(start.encode() + data)
    list(read([folder]))
    found = [*read(folder.iterdir()), *read_bytes(start.encode() + data)]
    assert len({f.file for f in found}) == len(SUFFIXES) + 1, "every file is read or refused"
    for f in found:
        if isinstance(f, Read):
            digest(f.article)
        else:
            assert f.reason


@pytest.mark.parametrize(
    "deep", ["[" * 100_000, '{"a":' * 100_000, "<div>" * 20_000 + "text", "> " * 5_000 + "text", "# a" + " " * 500_000]
)
def test_depth_and_length_stop_no_reader(tmp_path: Path, deep: str) -> None:
    for suffix in READERS:
        (tmp_path / f"a{suffix}").write_text("---\na: " + deep if suffix == ".md" else deep)
    for found in read([tmp_path]):
        assert isinstance(found, Refused) or digest(found.article)


SAMPLES = Path(__file__).parent.parent / "sample_corpus"


@pytest.mark.skipif(not any(SAMPLES.glob("*/*")), reason="sample_corpus/ is empty")
def test_the_sample_corpus_is_read_without_a_refusal() -> None:
    assert [f for f in read([SAMPLES]) if isinstance(f, Refused) and "README" not in f.file] == []
