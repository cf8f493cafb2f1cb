"""A site that publishes: real HTTP on 127.0.0.1, where a test says what lies where, and reads what was asked."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PUBLIC = "93.184.216.34"  # an address outside the network; nothing is sent there


@dataclass
class Reply:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    path: str
    headers: Mapping[str, str]


class Publisher:
    """`put` something, and it is there; what is not there is 404. Validators are honoured as servers do."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[Asked] = []
        self._replies: dict[str, list[Reply]] = {}

    def url(self, path: str) -> str:
        return self.address + path

    def put(
        self,
        path: str,
        body: str | bytes = b"",
        *,
        status: int = 200,
        kind: str = "",
        zipped: bool = False,
        **headers: str,
    ) -> str:
        """The address at which it lies. `{site}` in a text is the address of the site."""
        data = body.replace("{site}", self.address).encode() if isinstance(body, str) else body
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if kind:
            told["Content-Type"] = kind
        if zipped:
            data, told["Content-Encoding"] = gzip.compress(data), "gzip"
        self._replies[path] = [Reply(data, status, told)]
        return self.url(path)

    def then(self, path: str, body: str | bytes = b"", **how: object) -> str:
        """What lies there once the replies before have been given."""
        before = self._replies.get(path, [])
        self.put(path, body, **how)  # type: ignore[arg-type]
        self._replies[path] = [*before, *self._replies[path]]
        return self.url(path)

    def remove(self, path: str) -> None:
        del self._replies[path]

    def paths(self) -> list[str]:
        """What was asked for since the last time, without robots.txt."""
        paths = [asked.path for asked in self.asked if asked.path != "/robots.txt"]
        self.asked.clear()
        return paths

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        replies = self._replies.get(asked.path)
        if not replies:
            return Reply(b"not here", 404)
        found = replies.pop(0) if len(replies) > 1 else replies[0]
        for sent, kept in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
            if sent in asked.headers and asked.headers[sent] == found.headers.get(kept):
                return Reply(b"", 304, found.headers)
        return found


@contextmanager
def publishing() -> Iterator[Publisher]:
    publisher: Publisher

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            reply = publisher.reply(Asked(self.path, self.headers))
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in reply.headers:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            with suppress(ConnectionError):  # who asked may have had enough
                self.wfile.write(reply.body)
            if len(reply.body) < int(reply.headers.get("Content-Length", 0)):
                self.close_connection = True

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing is written."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    publisher = Publisher(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Clock:
    """Time that passes when somebody sleeps, and is written down."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


class Connections:
    """Who is connected to: whatever the address, the connection is made to the publisher."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, publisher: Publisher) -> None:
        self.to: list[str] = []
        real = socket.getaddrinfo
        port = int(publisher.address.rsplit(":", 1)[1])

        def resolved(host: str, _: int, *arguments: Any, **options: Any) -> Any:
            self.to.append(host)
            return real("127.0.0.1", port, *arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", resolved)
