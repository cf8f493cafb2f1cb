"""Compressed files and archives -> the files in them, one after the other as a stream, never onto the disk."""

from __future__ import annotations

import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import zstandard

from .origin import seekable

ARCHIVES = (".tar", ".zip")
_INNER = {".gz": "", ".zst": "", ".xz": "", ".tgz": ".tar"}  # what such a name ends with, unpacked
SUFFIXES = (*_INNER, *ARCHIVES)
# A line of JSON that comes again and again packs to a hundredth; what packs to less is made to fill a disk.
RATIO = 200
FREE = 2**30  # bytes, whatever they came from
_CHUNK = 1024  # bytes: 32 MiB at most come out of so many by zstd
_BLOCK = 512  # of a tar
_ERRORS = (
    *(
        zlib.error,
        gzip.BadGzipFile,
        lzma.LZMAError,
        zstandard.ZstdError,
        zipfile.BadZipFile,
        tarfile.TarError,
        EOFError,
    ),
    *(struct.error, ValueError, OverflowError, NotImplementedError, RuntimeError),  # of headers that make no sense
)


class Damaged(OSError):
    """What is packed cannot be unpacked, and why."""


@dataclass(slots=True)
class Budget:
    """How much a file may unpack to, however it is packed within: `RATIO` times its own bytes, or `FREE`."""

    packed: int = 0
    unpacked: int = 0

    def spend(self, size: int) -> None:
        self.unpacked += size
        self.check()

    def check(self) -> None:
        if self.unpacked > max(FREE, RATIO * self.packed):
            raise Damaged(f"it unpacks to more than {RATIO} times its size, which no articles do")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    path: str
    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class Unfit:
    """What is not read, and why; without a path the rest of the archive. `is_damaged`: nobody knows what it holds."""

    path: str
    reason: str
    is_damaged: bool = False


def inner(name: str) -> str:
    """The name of what a compressed file holds."""
    suffix = PurePosixPath(name).suffix
    end = _INNER.get(suffix.lower())
    return name if end is None else name[: -len(suffix)] + end


def compression(head: bytes) -> Callable[[BinaryIO], Any] | None:
    """What unpacks a file that begins so, if it is compressed."""
    return next((opened for mark, opened in _COMPRESSIONS.items() if head.startswith(mark)), None)


def archive(head: bytes) -> Callable[[BinaryIO, Budget], Iterator[Member | Unfit]] | None:
    """What opens a file that begins so, if it is an archive."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip
    with suppress(tarfile.HeaderError):  # its first block has a checksum
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
        return _tar
    return None


def counted(stream: BinaryIO, budget: Budget) -> BinaryIO:
    """The same bytes, counted as those of the packed file."""
    if stream.seekable():
        here = stream.tell()
        budget.packed = stream.seek(0, io.SEEK_END) - here
        stream.seek(here)
        return stream

    def count(data: bytes) -> None:
        budget.packed += len(data)

    return io.BufferedReader(_Watched(stream, count))


def unpacked(stream: Any, budget: Budget) -> BinaryIO:
    """The bytes that `stream` gives, as far as the budget goes; reading them raises Damaged and no other error."""
    return io.BufferedReader(_Watched(stream, lambda data: budget.spend(len(data))))


def _zip(stream: BinaryIO, budget: Budget) -> Iterator[Member | Unfit]:
    try:
        with seekable(stream) as file, zipfile.ZipFile(file) as opened:
            for info in opened.infolist():
                budget.check()
                if info.is_dir():
                    continue
                if reason := _unfit_zip(info):
                    yield Unfit(info.filename, reason)
                    continue
                try:
                    with opened.open(info) as member:
                        yield Member(info.filename, unpacked(member, budget))
                except _ERRORS as error:
                    yield Unfit(info.filename, _said(error), is_damaged=True)
    except (*_ERRORS, OSError) as error:
        yield Unfit("", _said(error), is_damaged=True)


def _unfit_zip(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & 1:
        return "encrypted: unpack it with its password first"
    return "a symbolic link" if stat.S_ISLNK(info.external_attr >> 16) else None


def _tar(stream: BinaryIO, budget: Budget) -> Iterator[Member | Unfit]:
    """The members in their order. They are counted too: the sparse files of a tar are long for nothing."""
    last = b""

    def keep(data: bytes) -> None:
        nonlocal last
        last = (last + data)[-2 * _BLOCK :]

    watched = io.BufferedReader(_Watched(stream, keep))
    try:
        with tarfile.open(fileobj=watched, mode="r|") as tar:
            opened: Any = tar
            for info in opened:
                opened.members = []  # else it keeps the header of every member
                if info.isfile():
                    member: Any = opened.extractfile(info)
                    yield Member(info.name, unpacked(member, budget))
                elif not info.isdir():
                    kind = "a link" if info.issym() or info.islnk() else "a device or a pipe"
                    yield Unfit(info.name, f"{kind}, not a file")
            while watched.read(io.DEFAULT_BUFFER_SIZE):  # what compressed it has a checksum at its end
                pass
    except (*_ERRORS, OSError) as error:
        yield Unfit("", _said(error), is_damaged=True)
        return
    if last.strip(b"\0") or len(last) < 2 * _BLOCK:
        yield Unfit("", "a tar that breaks off: it has no end", is_damaged=True)


class _Watched(io.RawIOBase):
    """A stream whose bytes are looked at, and whose errors are Damaged."""

    def __init__(self, stream: Any, seen: Callable[[bytes], None]) -> None:
        self._stream = stream
        self._seen = seen

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except _ERRORS as error:
            raise Damaged(_said(error)) from None
        self._seen(data)
        buffer[: len(data)] = data
        return len(data)


class _Zstd:
    """The frames of a zstd file. The reader of zstandard takes a file that is cut short for one that has ended."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._frame: Any = None  # the one that has begun
        self._packed = b""
        self._left = memoryview(b"")

    def read(self, size: int) -> bytes:
        while not self._left:
            self._packed = self._packed or self._stream.read(_CHUNK)
            if not self._packed:
                if self._frame:
                    raise EOFError("zstd data that breaks off")
                break
            self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            self._left = memoryview(self._frame.decompress(self._packed))
            self._packed = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        data, self._left = self._left[:size], self._left[size:]
        return bytes(data)


_COMPRESSIONS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda stream: gzip.GzipFile(fileobj=stream),
    b"\x28\xb5\x2f\xfd": _Zstd,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
