"""A site that embeds the widget: pages of any content on another origin than the service, under a strict policy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# What such a site may already have; nothing of it is loosened for the widget but the address of the service.
POLICY = "default-src 'none'; script-src 'self' {service}; style-src 'self'; connect-src {service}"
PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>A site</title>
<meta name="viewport" content="width=device-width">
<script type="module" src="{service}/{script}"></script>
<script type="module" src="/site.js"></script><link rel="stylesheet" href="/site.css"></head>
<body><main><h1>A site</h1>{body}</main></body></html>"""


class Site:
    """`put` a page, and it is there at the address that comes back."""

    def __init__(self, address: str, service: str) -> None:
        self.address = address
        self.service = service
        self.files: dict[str, tuple[str, str]] = {}
        self.policy = ""

    def put(
        self, body: str, *, js: str = "", css: str = "", lang: str = "en", policy: str = "", script: str = "widget.js"
    ) -> str:
        page = PAGE.format(lang=lang, service=self.service, script=script, body=body)
        self.files = {"/": ("text/html", page), "/site.js": ("text/javascript", js), "/site.css": ("text/css", css)}
        self.policy = POLICY.format(service=self.service) + policy
        return f"{self.address}/"


@contextmanager
def site(service: str) -> Iterator[Site]:
    """A server of such pages, on any free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = made.files.get(urlsplit(self.path).path, ("text/html", "<title>Another page</title>"))
            body = content.encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", made.policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = Site(f"http://127.0.0.1:{server.server_address[1]}", service)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
