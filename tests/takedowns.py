"""`make soak`: how long an article is still shown that is taken down, while others ask, rebuild and go back.

A real service answers over an index of generated articles. Every way to an article is asked again and again, each by a
thread of its own, from before the command until after it; at the end every article taken down is asked for once more.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import generated

from search.article import Article
from search.engines import Put, connect

COMMAND = Path(sys.executable).parent / "broadsheet"
ENVIRON = {**os.environ, "PYTHONPATH": ":".join(sys.path), "PYTHONUNBUFFERED": "1"}
ARTICLES, TAKEDOWNS = 5_000, 200
AFTER = 0.3  # seconds that every way is asked on after the command has returned
PATIENCE = 60  # seconds until every way has shown an article before it is taken down
MOST = 1.0  # seconds from the return of the command to the last answer that shows the article

# What a reader can ask to see an article: its word stands in no other, its address is looked for in the answer.
WAYS = {
    "page": "/search?q={word}",
    "API": "/api/v1/search?q={word}",
    "widget": "/api/v1/search?q={word}&prefix=true&per_page=8&facets=section",
    "suggestions": "/api/v1/suggest?q={word}",
    "browser": "/opensearch/suggest?q={word}",
    "RSS": "/search.rss?q={word}",
    "JSON Feed": "/search.json?q={word}",
    "id": "/api/v1/articles/{id}",
    "address": "/api/v1/articles?url={url}",
}


@dataclass
class Taken:
    """One takedown, in seconds: when it was begun and was done, and of each way the last answer that showed it.

    `late`: the answers that showed it to who asked after the command had returned.
    """

    article: Article
    how: str
    begun: float = 0.0
    done: float = 0.0
    last: dict[str, float] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)

    @property
    def lasted(self) -> float:
        """How long after the return of the command an answer that showed it came in; at most 0 where none did."""
        return max(self.last.values()) - self.done


def soak(count: int, of: int, commands: float = 0.5) -> tuple[list[Taken], int]:
    """Take so many of so many articles down, this share by a process and the rest by a call.

    All of them, and how many answers still showed any of them at the end.
    """
    with tempfile.TemporaryDirectory(prefix="broadsheet-takedowns-") as folder:
        index = f"whoosh:{folder}/index"
        articles = [_own(article) for article in generated.articles(of)]
        _fill(index, articles)
        with _served(index) as host, _load(index, host), closing(connect(index)) as engine:

            def call(named: str) -> None:
                engine.take_down(named, "soak")

            def process(named: str) -> None:
                _run(index, "takedown", named, "--reason", "soak")

            taken = []
            for number, article in enumerate(articles[:: of // count][:count]):
                is_process = int(number * commands) < int((number + 1) * commands)
                named = article.url if number % 3 else article.id
                one = Taken(article, "process" if is_process else "call")
                _take_down(one, host, process if is_process else call, str(named))
                taken.append(one)
        with _served(index) as host, closing(HTTPConnection(host)) as connection:  # and a service that has just started
            return taken, sum(_shows(connection, way, one.article) for one in taken for way in WAYS)


def _own(article: Article) -> Article:
    """With a word of its own in its title, and an address."""
    number = article.id.partition("-")[2]
    return replace(article, title=f"Story{number}x {article.title}", url=f"https://paper.example/story-{number}.html")


def _fill(index: str, articles: Sequence[Article]) -> None:
    with closing(connect(index)) as engine:
        run = engine.begin("index", ["generated"])
        for start in range(0, len(articles), 1000):
            engine.accept(run, [Put(article, "generated") for article in articles[start : start + 1000]])
        engine.catch_up()
        engine.end(run)


@contextmanager
def _served(index: str) -> Iterator[str]:
    """Host and port of a service."""
    with subprocess.Popen(
        [COMMAND, "--index", index, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True, env=ENVIRON
    ) as process:
        try:
            assert process.stdout
            yield next(urlsplit(word).netloc for word in process.stdout.readline().split() if word.startswith("http"))
        finally:
            process.terminate()


@contextmanager
def _load(index: str, host: str) -> Iterator[None]:
    """Somebody asks, and somebody rebuilds and goes back, again and again."""
    over = threading.Event()

    def ask() -> None:
        with closing(HTTPConnection(host)) as connection:
            for number in range(sys.maxsize):
                if over.is_set():
                    return
                _get(connection, f"/search?q={generated.name(number % 50)}")

    def rebuild() -> None:
        while not over.is_set():
            for command in ("reindex", "reindex", "rollback"):  # the second, so that there is one to go back to
                _run(index, command)

    with ThreadPoolExecutor() as threads:
        at_work = [threads.submit(ask), threads.submit(rebuild)]
        try:
            yield
        finally:
            over.set()
        for work in at_work:
            work.result()


def _take_down(one: Taken, host: str, take_down: Callable[[str], None], named: str) -> None:
    seen, over = threading.Barrier(len(WAYS) + 1), threading.Event()

    def watch(way: str) -> None:
        with closing(HTTPConnection(host)) as connection:
            assert _shows(connection, way, one.article), f"{way} does not show {one.article.id} to begin with"
            seen.wait(PATIENCE)
            while not over.is_set():
                asked = time.monotonic()
                if _shows(connection, way, one.article):
                    one.last[way] = time.monotonic()
                    if one.done and asked > one.done:
                        one.late.append(way)

    with ThreadPoolExecutor(len(WAYS)) as threads:
        watched = [threads.submit(watch, way) for way in WAYS]
        try:
            seen.wait(PATIENCE)
            one.begun = time.monotonic()
            one.last = dict.fromkeys(WAYS, one.begun)
            take_down(named)
            one.done = time.monotonic()
            time.sleep(AFTER)
        finally:
            over.set()
        for way in watched:
            way.result()


def _shows(connection: HTTPConnection, way: str, article: Article) -> bool:
    word = article.title.partition(" ")[0].lower()
    status, text = _get(connection, WAYS[way].format(word=word, id=article.id, url=article.url))
    assert status in (200, 410), (status, text)
    return str(article.url) in text


def _get(connection: HTTPConnection, path: str) -> tuple[int, str]:
    connection.request("GET", path)
    response = connection.getresponse()
    return response.status, response.read().decode()


def _run(index: str, *command: str) -> None:
    done = subprocess.run([COMMAND, "--index", index, *command], capture_output=True, text=True, env=ENVIRON)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def main() -> int:
    taken, shown = soak(TAKEDOWNS, ARTICLES)
    print(f"{len(taken)} takedowns of {ARTICLES:,} articles, while others ask, rebuild and go back")
    for how in ("call", "process"):
        of = [one for one in taken if one.how == how]
        for text, times in (
            ("the command took", [one.done - one.begun for one in of]),
            ("shown after it was begun", [max(one.last.values()) - one.begun for one in of]),
            ("shown after it was done", [max(one.lasted, 0) for one in of]),
        ):
            print(f"{how:<8}{text:<26}p50 {median(times) * 1000:6.0f} ms   max {max(times) * 1000:6.0f} ms")
    late = sum(len(one.late) for one in taken)
    print(f"answers that showed one to who asked after the command had returned: {late}; at the end: {shown}")
    return int(late > 0 or shown > 0 or max(one.lasted for one in taken) > MOST)


if __name__ == "__main__":
    sys.exit(main())
