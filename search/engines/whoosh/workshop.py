"""Have pieces of an index made, by processes beside this one where there is much to do.

    parent  accepts rows  ->  {"order": "gather", "after": 0, "until": 5000, ..}      one JSON object a line
    worker  reads them from the store, writes segments  ->  [{"after": 0, "until": 5000, "segment": ..}]

The store stands between them, so that what was accepted is all that is handed on. A worker that dies loses nothing
but its work: the rows are applied again.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

from search.engines import EngineUnavailable
from search.engines.whoosh import durable, pieces
from search.engines.whoosh.pieces import Piece
from search.engines.whoosh.scratch import Scratch
from search.engines.whoosh.store import Store
from search.engines.whoosh.tokenise import Tokeniser

FOLDER = "building"
WORKERS = min(2, len(os.sched_getaffinity(0)))  # 450 MB each while they join: indexing stays below 1 GiB
PIECE_ROWS = 5_000  # rows handed to a worker at once: some 12 MB of text
MANY_ROWS = 2_000  # from here on starting a process, which takes a fifth of a second of a processor, pays


class Workshop:
    """Pieces being made of the rows of one store, in the order of the rows, from the one after `applied` on."""

    def __init__(self, index: Path, store: Store, applied: int = 0) -> None:
        self._index = index
        self._store = store
        self._ordered = applied  # rows up to this number are in `_orders` or were given
        self._orders: deque[tuple[int, int, Future[list[Piece]]]] = deque()
        self._pool: _Pool | None = None
        self._scratch: Scratch | None = None
        self._tokeniser = Tokeniser()

    def accepted(self, until: int) -> None:
        """There are new rows, up to this number: have them made pieces while more come."""
        with suppress(OSError):  # they are accepted all the same; who applies them meets it again, and says so
            # The first order is a small one: a processor is waiting for it.
            while WORKERS > 1 and until - self._ordered >= (rows := PIECE_ROWS if self._pool else MANY_ROWS):
                self._order(self._ordered, self._ordered + rows)

    def pieces(
        self, after: int, until: int, newest: bool = False, without: Sequence[int] = ()
    ) -> Iterator[list[Piece]]:
        """The pieces of the rows from `after` to `until`, as they are ready: several that follow each other at once.

        `without`: rows of these runs are passed over.
        """
        while self._orders and self._orders[0][0] < after:  # somebody else applied its rows
            self._orders.popleft()[2].cancel()
        if without or not (self._orders and self._orders[0][0] == after):
            self._drop()
            self._ordered = after
        if WORKERS > 1 and not without and (self._orders or until - after >= MANY_ROWS):
            rest = max(until - self._ordered, 1)
            rows = min(PIECE_ROWS, max(ceil(rest / WORKERS), MANY_ROWS // 2))  # nobody waits long for the last one
            for begin in range(self._ordered, until, rows):
                self._order(begin, min(until, begin + rows), newest)
            while self._orders:
                ready = self._orders.popleft()[2].result()
                while self._orders and self._orders[0][2].done() and not self._orders[0][2].exception():
                    ready = ready + self._orders.popleft()[2].result()
                if ready:
                    yield ready
        else:
            self._ordered = until
            for piece in pieces.gather(self._store, self.folder(), after, until, self._tokeniser, newest, without):
                yield [piece]

    def joined(self, generation: Path, groups: Sequence[Sequence[str]]) -> list[Piece]:
        """By group of segments (their ids) the one they become."""
        if WORKERS > 1 and self._pool:
            order = {"order": "join", "generation": str(generation), "into": str(self.folder())}
            futures = [self._pool.submit({**order, "segments": list(group)}) for group in groups]
            return [piece for future in futures for piece in future.result()]
        return [pieces.join(generation, self.folder(), group) for group in groups]

    def folder(self) -> Path:
        """Where segments lie until a commit takes them; what others left there and nobody holds is removed."""
        if self._scratch is None:
            building = self._index / FOLDER
            durable.make_folder(building)
            self._scratch = Scratch(building)
        return self._scratch.path

    def close(self) -> None:
        """End the workers, remove what no commit took."""
        self._drop()
        if self._pool:
            self._pool.close()
        if self._scratch:
            self._scratch.close()
        self._pool = self._scratch = None

    def _order(self, after: int, until: int, newest: bool = False) -> None:
        self._pool = self._pool or _Pool()
        order = {"order": "gather", "index": str(self._index), "into": str(self.folder())}
        future = self._pool.submit({**order, "after": after, "until": until, "newest": newest})
        self._orders.append((after, until, future))
        self._ordered = until

    def _drop(self) -> None:
        for _, _, future in self._orders:
            future.cancel()
        self._orders.clear()


class _Pool:
    """Processes, each with a thread of this one that hands it its orders."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="indexing")
        self._own = threading.local()
        self._starting = threading.Lock()
        self._closed = False
        self._processes: list[subprocess.Popen[str]] = []

    def submit(self, order: dict[str, Any]) -> Future[list[Piece]]:
        return self._threads.submit(partial(self._run, json.dumps(order)))

    def close(self) -> None:
        with self._starting:
            self._closed = True
        for process in self._processes:
            process.kill()  # what it was at, nobody waits for
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):  # of an order that was written to a process that had ended
                    if stream:
                        stream.close()

    def _run(self, order: str) -> list[Piece]:
        process: subprocess.Popen[str] | None = getattr(self._own, "process", None)
        if process is None or process.poll() is not None:
            process = self._own.process = self._start()
        assert process.stdin
        assert process.stdout
        try:
            process.stdin.write(f"{order}\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        if not answer.endswith("\n"):
            raise EngineUnavailable(
                f"a process that was indexing ended (code {process.wait()}): was it killed, or short of memory? "
                "What was accepted is kept: run it again"
            )
        return _read(answer)

    def _start(self) -> subprocess.Popen[str]:
        with self._starting:
            if self._closed:
                raise EngineUnavailable("indexing was ended; what was accepted is kept: run it again")
            process = subprocess.Popen(
                # -P: what lies in the folder where the command is run is not ours, whatever it is called.
                [sys.executable, "-P", "-c", "from search.engines.whoosh.workshop import work; work()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path),
                    "OPENBLAS_NUM_THREADS": "1",  # numpy would start threads that are not needed, in 0.06 s
                },
                process_group=0,  # Ctrl-C is the parent's to handle: it ends this one
            )
            self._processes.append(process)
        return process


def work() -> None:
    """What a worker does: carry out the orders on standard input, until it ends."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # when the parent is gone, nobody is left to be told of it
    gc.disable()  # half a million words and no cycles: looking for some takes a tenth of the time
    worker = _Worker()
    for order in sys.stdin:
        print(worker.answer(order), flush=True)


class _Worker:
    """Carries out one order after another: an analysed word is remembered, a store stays open."""

    def __init__(self) -> None:
        self._stores: dict[str, Store] = {}
        self._tokeniser = Tokeniser()

    def answer(self, order: str) -> str:
        answer: dict[str, Any] | list[dict[str, Any]]
        try:
            answer = [asdict(piece) for piece in self._made(**json.loads(order))]
        except OSError as problem:
            answer = {"errno": problem.errno, "message": problem.strerror or str(problem)}
        except Exception as problem:
            answer = {"error": type(problem).__name__, "message": str(problem)}
        return json.dumps(answer)

    def _made(self, order: str, into: str, **values: Any) -> list[Piece]:
        make: dict[str, Callable[..., Iterable[Piece]]] = {"gather": self._gather, "join": self._join}
        return list(make[order](Path(into), **values))

    def _gather(self, into: Path, index: str, after: int, until: int, newest: bool) -> Iterator[Piece]:
        store = self._stores.get(index) or self._stores.setdefault(index, Store(Path(index)))
        return pieces.gather(store, into, after, until, self._tokeniser, newest)

    def _join(self, into: Path, generation: str, segments: list[str]) -> list[Piece]:
        self._tokeniser = Tokeniser()  # gathering is over: its memory is needed here
        _give_back()
        return [pieces.join(Path(generation), into, segments)]


def _give_back() -> None:
    """Return to the system what was freed; where the C library is not glibc, it stays with the process."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _read(line: str) -> list[Piece]:
    """The answer of a worker, or what went wrong there, raised here."""
    answer = json.loads(line)
    if isinstance(answer, list):
        return [Piece(**{**piece, "dead": tuple(piece["dead"]), "gone": tuple(piece["gone"])}) for piece in answer]
    if "errno" in answer:
        raise OSError(answer["errno"], answer["message"])
    from search import engines

    kind = getattr(engines, answer["error"], None)
    if isinstance(kind, type) and issubclass(kind, engines.EngineError):
        raise kind(answer["message"])
    raise RuntimeError(f"{answer['error']}: {answer['message']}")
