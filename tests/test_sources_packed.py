"""Archives and compressed files: read like the folder that was packed, as a stream, and never beyond what is sane."""

import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from scale import SOAK

from indexer.sources import Read, Refused, packed, read
from search.article import make_id

CORPORA = Path(os.environ.get("BROADSHEET_CORPORA", Path(__file__).parent.parent.parent / "shared" / "corpora"))
LINE = b'{"id": "a", "title": "Snow", "body": "It fell."}\n'
POST = b"---\ntitle: Snow\n---\nIt fell."
FILES = {
    "b.jsonl": LINE,
    "a.md": POST,
    "travel/deep/c.md": POST,
    "travel/lines.jsonl.gz": gzip.compress(LINE.replace(b'"a"', b'"b"')),
    "picture.png": b"\x89PNG",
    "data.json": b'{"name": "package"}',
    ".hidden.md": POST,
    "__MACOSX/._a.md": b"\0\5\x16\7",
    ".git/x.md": POST,
}


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = data if isinstance(data, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.name = name
            info.size = len(data) if isinstance(data, bytes) else 0
            archive.addfile(info, io.BytesIO(data) if isinstance(data, bytes) else None)
    return out.getvalue()


PACKED: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    ".zip": zipped,
    ".tar": tarred,
    ".tar.gz": lambda files: gzip.compress(tarred(files)),
    ".tgz": lambda files: gzip.compress(tarred(files)),
    ".tar.zst": lambda files: zstandard.compress(tarred(files)),
    ".tar.xz": lambda files: lzma.compress(tarred(files), preset=0),
}
COMPRESSED = {".gz": gzip.compress, ".zst": zstandard.compress, ".xz": lambda data: lzma.compress(data, preset=0)}


def pairs(found: object) -> set[tuple[str, str]]:
    """The last part of the file's name, and the id."""
    return {(Path(f.file).name, f.article.id) for f in found if isinstance(f, Read)}


def refusals(found: object) -> dict[str, str]:
    return {Path(f.file).name: f.reason for f in found if isinstance(f, Refused)}


def unpacked(folder: Path) -> Path:
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("top", ["", "news/"])
def test_an_archive_is_the_folder_of_its_name(tmp_path: Path, suffix: str, top: str) -> None:
    wanted = pairs(read([unpacked(tmp_path / "folder" / "news")]))
    assert len(wanted) == 4
    archive = tmp_path / "packed" / f"news{suffix}"
    archive.parent.mkdir()
    archive.write_bytes(PACKED[suffix]({top + name: data for name, data in FILES.items()}))
    found = list(read([archive]))
    assert pairs(found) == wanted
    assert {f.file for f in found} == {
        f"{archive}/{top}{name}" for name in ("a.md", "b.jsonl", "travel/deep/c.md", "travel/lines.jsonl.gz")
    }
    assert list(archive.parent.iterdir()) == [archive], "nothing is unpacked"


@pytest.mark.parametrize("suffix", PACKED)
def test_an_archive_in_a_folder_is_a_folder_in_it(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "site" / "old").mkdir(parents=True)
    (tmp_path / "site" / "old" / f"2024{suffix}").write_bytes(PACKED[suffix]({"x.md": POST}))
    assert pairs(read([tmp_path / "site"])) == {("x.md", make_id("site/old/2024/x.md"))}


@pytest.mark.parametrize("suffix", PACKED)
def test_standard_input_may_be_an_archive(suffix: str) -> None:
    data = PACKED[suffix]({"news/x.md": POST, "y.md": POST})
    wanted = {("x.md", make_id("news/x.md")), ("y.md", make_id("y.md"))}
    assert pairs(read(["-"], stdin=io.BytesIO(data))) == wanted
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as end:
        end.write(data)
    with os.fdopen(reading, "rb") as pipe:  # has no way back, which zip needs
        assert pairs(read(["-"], stdin=pipe)) == wanted


@pytest.mark.parametrize("suffix", COMPRESSED)
def test_a_compressed_file_is_the_file(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "plain").mkdir()
    for name, data in {
        "wire.jsonl": b'{"title": "Snow"}\n',
        "a.md": POST,
        "note.txt": b"Snow falls\n\nAll night.\n",
    }.items():
        (tmp_path / "plain" / name).write_bytes(data)
        (tmp_path / "packed").mkdir(exist_ok=True)
        (tmp_path / "packed" / f"{name}{suffix}").write_bytes(COMPRESSED[suffix](data))
    (tmp_path / "packed" / f"style.css{suffix}").write_bytes(COMPRESSED[suffix](b"a {}"))
    wanted = {id for _, id in pairs(read([tmp_path / "plain"]))}
    (tmp_path / "plain").rename(tmp_path / "gone")
    (tmp_path / "packed").rename(tmp_path / "plain")
    found = list(read([tmp_path / "plain"]))
    assert {f.article.id for f in found if isinstance(f, Read)} == wanted
    assert len(found) == len(wanted) == 3
    named = list(read([tmp_path / "plain" / f"wire.jsonl{suffix}"]))
    assert pairs(named) <= pairs(found)
    (plain,) = read(["-"], stdin=io.BytesIO(COMPRESSED[suffix](LINE)))
    assert isinstance(plain, Read)


def test_zstd_of_several_frames_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.zst").write_bytes(zstandard.compress(LINE) + zstandard.compress(LINE.replace(b'"a"', b'"b"')))
    assert {id for _, id in pairs(read([tmp_path]))} == {"a", "b"}


def link(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def encrypted() -> bytes:
    data = bytearray(zipped({"secret.md": POST}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags] |= 1
    return bytes(data)


def linked() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("secret.md")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


@pytest.mark.parametrize(
    ("archive", "refused"),
    [
        (tarred({"l.md": link(tarfile.SYMTYPE), "a.md": POST}), {"l.md": "a link, not a file"}),
        (tarred({"h.md": link(tarfile.LNKTYPE), "a.md": POST}), {"h.md": "a link, not a file"}),
        (tarred({"d.md": link(tarfile.CHRTYPE), "a.md": POST}), {"d.md": "a device or a pipe, not a file"}),
        (tarred({"p.md": link(tarfile.FIFOTYPE), "a.md": POST}), {"p.md": "a device or a pipe, not a file"}),
        (encrypted(), {"secret.md": "encrypted: unpack it with its password first"}),
        (linked(), {"secret.md": "a symbolic link"}),
        (
            zipped({"in.zip": zipped({"x.md": POST}), "a.md": POST}),
            {"in.zip": "an archive in an archive: unpack the outer one first"},
        ),
        (
            tarred({"in.tar.gz": gzip.compress(tarred({"x.md": POST})), "a.md": POST}),
            {"in.tar.gz": "an archive in an archive: unpack the outer one first"},
        ),
        (gzip.compress(gzip.compress(LINE)), {"-": "compressed twice: unpack the outer one first"}),
        (zipped({"a.md": POST, "b.md.gz": b"plain"}), {"b.md.gz": "no .gz: its content is something else"}),
        (zipped({"a.md": POST, "b.md.gz": b""}), {"b.md.gz": "empty"}),
    ],
)
def test_what_is_no_plain_file_is_refused_and_the_rest_goes_in(archive: bytes, refused: dict[str, str]) -> None:
    found = list(read(["-"], stdin=io.BytesIO(archive)))
    assert {name.replace("standard input", "-"): reason for name, reason in refusals(found).items()} == refused
    assert {name for name, _ in pairs(found)} == ({"a.md"} if b"a.md" in archive else set())


@pytest.mark.parametrize("name", ["../../up.md", "/etc/up.md", "a/../../up.md"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_no_name_in_an_archive_leads_out_of_it(tmp_path: Path, pack: Callable[..., bytes], name: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.zip").write_bytes(pack({name: POST}))
    (found,) = read([tmp_path / "in" / "x.zip"])
    assert isinstance(found, Read)
    assert ".." not in found.file
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "x.zip"]


@pytest.mark.parametrize("suffix", [*PACKED, *(".jsonl" + suffix for suffix in COMPRESSED)])
def test_what_breaks_off_is_said_and_what_stood_before_goes_in(tmp_path: Path, suffix: str) -> None:
    chance = random.Random(7)
    lines = [b'{"id": "%d", "title": "%s"}\n' % (n, chance.randbytes(300).hex().encode()) for n in range(2_000)]
    if suffix in PACKED:
        data = PACKED[suffix]({f"{n}.jsonl": line for n, line in enumerate(lines)})
    else:
        data = COMPRESSED[suffix.removeprefix(".jsonl")](b"".join(lines))
    for length in (len(data) // 2, len(data) - (11_000 if suffix == ".tar" else 3)):
        (tmp_path / f"cut{suffix}").write_bytes(data[:length])
        found = list(read([tmp_path]))
        assert isinstance(found[-1], Refused)
        assert found[-1].unread, "a rebuild must not remove what nobody could read"
        assert found[-1].reason.startswith("cannot be read: "), found[-1]
        assert suffix == ".zip" or 500 < sum(isinstance(f, Read) for f in found) <= 2_000


def test_a_damaged_member_of_a_zip_costs_that_one(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.md": POST, "b.md": POST * 3, "c.md": POST}))
    data[data.index(b"b.md") + 6] ^= 0xFF
    (tmp_path / "x.zip").write_bytes(data)
    found = list(read([tmp_path]))
    assert {name for name, _ in pairs(found)} == {"a.md", "c.md"}
    assert list(refusals(found)) == ["b.md"]


def bomb(suffix: str) -> bytes:
    spaces = b" " * 8_000_000
    return PACKED[suffix]({"before.md": POST, "big.jsonl": LINE + spaces, "more.jsonl": spaces, "z.jsonl": LINE})


@pytest.mark.parametrize("suffix", PACKED)
def test_what_is_made_to_fill_a_machine_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    (tmp_path / f"x{suffix}").write_bytes(bomb(suffix))
    assert not any("times its size" in reason for reason in refusals(read([tmp_path])).values())
    monkeypatch.setattr(packed, "FREE", 4_000_000)
    found = list(read([tmp_path]))
    if suffix == ".tar":  # is as long as what it holds
        assert not any("times its size" in reason for reason in refusals(found).values())
        return
    assert ("before.md", make_id(f"{tmp_path.name}/x/before.md")) in pairs(found)
    stopped = [f for f in found if isinstance(f, Refused) and "unpacks to more than 200 times" in f.reason]
    assert stopped
    assert all(f.unread for f in stopped)
    assert "z.jsonl" not in {name for name, _ in pairs(found)}


def test_a_compressed_file_within_counts_for_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "FREE", 4_000_000)
    inner = gzip.compress(LINE * 100_000)
    (tmp_path / "x.zip").write_bytes(zipped({f"{n}.jsonl.gz": inner for n in range(9)}))
    found = list(read([tmp_path]))
    assert "unpacks to more than 200 times" in found[-1].reason
    assert sum(isinstance(f, Read) for f in found) * len(LINE) < 5_000_000


class Counting(io.RawIOBase):
    """A stream that knows how far it was read."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)
        self.read_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        data = self._data.read(len(buffer))
        self.read_bytes += len(data)
        buffer[: len(data)] = data
        return len(data)


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.zst", ".tar.xz", *(".jsonl" + s for s in COMPRESSED)])
def test_it_is_read_no_further_than_it_is_asked_for(suffix: str) -> None:
    chance = random.Random(7)
    lines = [b'{"id": "%d", "title": "%s"}\n' % (n, chance.randbytes(4_000).hex().encode()) for n in range(250)]
    if suffix in PACKED:
        data = PACKED[suffix]({f"{n}.jsonl": line for n, line in enumerate(lines)})
    else:
        data = COMPRESSED[suffix.removeprefix(".jsonl")](b"".join(lines))
    stream = Counting(data)
    found = read(["-"], stdin=io.BufferedReader(stream))
    for _ in range(10):
        assert isinstance(next(found), Read)
    assert stream.read_bytes < 600_000 < len(data)


ZIP, TAR = zipped(FILES), tarred(FILES)


@settings(max_examples=60 * SOAK, deadline=None)
@given(
    whole=st.sampled_from([ZIP, TAR, gzip.compress(TAR), zstandard.compress(TAR), lzma.compress(TAR)]),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=4),
    cut=st.floats(0.2, 1),
)
def test_no_bytes_stop_the_reading(whole: bytes, changes: list[tuple[float, bytes]], cut: float) -> None:
    data = bytearray(whole[: int(len(whole) * cut)])
    for place, change in changes:
        at = int(place * (len(data) - len(change)))
        data[at : at + len(change)] = change
    for found in read(["-"], stdin=io.BytesIO(bytes(data))):
        assert isinstance(found, Read) or found.reason


def test_a_sparse_file_of_a_tar_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header of the GNU format says that a file is long, and has no data for it."""
    monkeypatch.setattr(packed, "FREE", 1_000_000)
    info = tarfile.TarInfo("long.jsonl")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[386:410] = b"00000000000\0" * 2  # no bytes at the beginning
    header[483:495] = b"77777777777\0"  # 8 GB in all
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(struct.unpack("512B", header))
    (tmp_path / "x.tar").write_bytes(bytes(header) + b"\0" * 1024)
    (found,) = read([tmp_path])
    assert isinstance(found, Refused)
    assert "unpacks to more than" in found.reason


@pytest.mark.corpora
@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"the corpora are not at {CORPORA} (BROADSHEET_CORPORA names them)")
@pytest.mark.parametrize(
    ("folder", "few"),  # what is refused of pages are pages without an article
    [("sites", 2), ("html", 20)],
)
def test_packed_corpora_go_through_and_each_refusal_has_its_reason(folder: str, few: int) -> None:
    for archive in sorted((CORPORA / folder).glob("*.xz")):
        if "truth" in archive.name:  # no articles, but what is said of the pages
            continue
        reads = refused = 0
        for found in read([archive]):
            assert isinstance(found, Read) or found.reason
            reads += isinstance(found, Read)
            refused += isinstance(found, Refused)
        print(f"{archive.name}: {reads:,} read, {refused:,} refused")
        assert reads > 0
        assert refused <= few
