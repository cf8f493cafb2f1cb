"""How fast each format is read, and in how much memory: `python tests/bench_formats.py [ARTICLES]`.

The same real articles are written in every format, a fifth of them and all, and each file is read by a process of
its own, whose peak memory Linux tells. It must not grow with the file. Nothing is indexed.
BROADSHEET_CORPORA names the folder of the corpora.
"""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import lzma
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import zstandard

from indexer.sources import Read, read

CORPORA = Path(os.environ.get("BROADSHEET_CORPORA", Path(__file__).parent.parent.parent / "shared" / "corpora"))
SHORTEST = 200  # characters of a text
FEW = 5  # one in so many is the small file

Post = dict[str, Any]


def posts() -> Iterator[Post]:
    """Press releases with a text and a day."""
    with lzma.open(CORPORA / "news" / "congress_press.jsonl.xz", "rt", encoding="utf-8") as lines:
        for post in map(json.loads, lines):
            if len(post["body"]) >= SHORTEST and post["published"]:
                yield {
                    name: post[name]
                    for name in ("id", "url", "title", "section", "published", "author", "body", "tags")
                }


def as_html(text: str) -> str:
    return "".join(f"<p>{html.escape(part)}</p>" for part in text.split("\n") if part.strip())


def jsonl(found: Iterator[Post]) -> Iterator[bytes]:
    for post in found:
        yield json.dumps(post, ensure_ascii=False).encode() + b"\n"


def json_list(found: Iterator[Post]) -> Iterator[bytes]:
    yield from _list((json.dumps(post) for post in found), "[", "]")


def table(found: Iterator[Post]) -> Iterator[bytes]:
    line = io.StringIO()
    rows = csv.writer(line)
    for number, post in enumerate(found):
        if not number:
            rows.writerow(post)
        rows.writerow(["|".join(value) if isinstance(value, list) else value for value in post.values()])
        yield line.getvalue().encode()
        line.seek(0)
        line.truncate()


def wxr(found: Iterator[Post]) -> Iterator[bytes]:
    yield (
        b'<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/"><channel>'
    )
    for post in found:
        text = as_html(post["body"]).replace("]]>", "]]&gt;")
        yield (
            f"<item><title>{html.escape(post['title'])}</title><link>{html.escape(post['url'])}</link>"
            f"<dc:creator>{html.escape(post['author'] or '')}</dc:creator><content:encoded><![CDATA[{text}]]>"
            f"</content:encoded><wp:post_date_gmt>{post['published']} 00:00:00</wp:post_date_gmt>"
            "<wp:status>publish</wp:status><wp:post_type>post</wp:post_type></item>\n"
        ).encode()
    yield b"</channel></rss>"


def ghost(found: Iterator[Post]) -> Iterator[bytes]:
    entries = (
        json.dumps({
            "id": post["id"],
            "title": post["title"],
            "html": as_html(post["body"]),
            "status": "published",
            "published_at": post["published"],
        })
        for post in found
    )  # fmt: skip
    yield from _list(entries, '{"db": [{"data": {"posts": [', '], "tags": [], "users": []}}]}')


def ninjs(found: Iterator[Post]) -> Iterator[bytes]:
    entries = (
        json.dumps({
            "uri": f"urn:x:{post['id']}",
            "versioncreated": post["published"],
            "headline": post["title"],
            "body_xhtml": as_html(post["body"]),
        })
        for post in found
    )  # fmt: skip
    yield from _list(entries, "[", "]")


def _list(entries: Iterator[str], start: str, end: str) -> Iterator[bytes]:
    yield start.encode()
    for number, entry in enumerate(entries):
        yield (",\n" * bool(number) + entry).encode()
    yield end.encode()


def nitf(post: Post) -> bytes:
    return (
        f'<nitf><head><docdata><doc-id id-string="{post["id"]}"/><date.issue norm="{post["published"]}"/></docdata>'
        f"</head><body><body.head><hedline><hl1>{html.escape(post['title'])}</hl1></hedline></body.head>"
        f"<body.content>{as_html(post['body'])}</body.content></body></nitf>"
    ).encode()


def markdown(post: Post) -> bytes:
    front = {"id": post["id"], "title": post["title"], "date": post["published"]}
    return b"---\n" + json.dumps(front).encode() + b"\n---\n" + post["body"].encode()


def page(post: Post) -> bytes:
    title = html.escape(post["title"])
    return f"<html><title>{title}</title><body><article><h1>{title}</h1>{as_html(post['body'])}</article>".encode()


def dump(post: Post) -> bytes:
    return f"{post['title']}\n\nPublished {post['published']}\n\n{post['body']}".encode()


STREAMS: dict[str, Callable[[Iterator[Post]], Iterator[bytes]]] = {
    "a.jsonl": jsonl,
    "a.jsonl.gz": jsonl,
    "a.jsonl.zst": jsonl,
    "a.jsonl.xz": jsonl,
    "a.json": json_list,
    "a.csv": table,
    "wordpress.xml": wxr,
    "ghost.json": ghost,
    "ninjs.json": ninjs,
}
FILES: dict[str, tuple[str, Callable[[Post], bytes]]] = {
    "nitf.zip": (".xml", nitf),
    "nitf.tar": (".xml", nitf),
    "nitf.tar.zst": (".xml", nitf),
    "markdown.zip": (".md", markdown),
    "dumps.zip": (".txt", dump),
    "pages.zip": (".html", page),
}
SLOW = {"pages.zip": 20}  # of these one in so many: a page takes ten milliseconds


def write(name: str, folder: Path, most: int) -> Path:
    """So many articles in this form."""
    path = folder / name
    found = islice(posts(), most)
    if name in STREAMS:
        ending = path.suffix
        opened: Any = {".gz": gzip.open, ".xz": _xz, ".zst": _zst}.get(ending, lambda path: path.open("wb"))
        with opened(path, *(("wb",) if ending == ".gz" else ())) as out:
            for part in STREAMS[name](found):
                out.write(part)
        return path
    suffix, form = FILES[name]
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for post in found:
                archive.writestr(f"{post['id']}{suffix}", form(post))
        return path
    with _zst(path) if name.endswith(".zst") else path.open("wb") as out, tarfile.open(fileobj=out, mode="w|") as tar:
        for post in found:
            data = form(post)
            info = tarfile.TarInfo(f"{post['id']}{suffix}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def _xz(path: Path) -> Any:
    return lzma.open(path, "wb", preset=1)


def _zst(path: Path) -> Any:
    return zstandard.open(path, "wb")


def measure(path: Path) -> tuple[int, float, float]:
    """Articles read, seconds of the processor, and the most memory in megabytes, in a process of its own."""
    told = subprocess.run([sys.executable, __file__, "--read", path], capture_output=True, text=True, check=True)
    count, seconds, memory = json.loads(told.stdout)
    return count, seconds, memory


def _read(path: str) -> None:
    begun = time.process_time()  # of one thread: on a machine with nothing else to do it is the time that passes
    count = sum(isinstance(found, Read) for found in read([path]))
    seconds = time.process_time() - begun
    # Not `ru_maxrss`, which begins with what the process had that made this one.
    most = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    print(json.dumps([count, seconds, int(most[1]) / 1024 if most else 0]))


def main(most: int) -> None:
    print("| Format | articles | MB | articles a second of the processor | MB of memory, a fifth of them | all |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in (*STREAMS, *FILES):
        many = most // SLOW.get(name, 1)
        with tempfile.TemporaryDirectory() as folder:
            _, _, small = measure(write(name, Path(folder), many // FEW))
            path = write(name, Path(folder), many)
            count, seconds, memory = measure(path)
            size = path.stat().st_size / 1e6
            print(
                f"| `{name}` | {count:,} | {size:.1f} | {count / seconds:,.0f} | {small:.0f} | {memory:.0f} |",
                flush=True,
            )
            if count < many * 0.98:
                sys.exit(f"{name}: {many - count:,} of {many:,} articles were not read")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        _read(sys.argv[2])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 20_000)
