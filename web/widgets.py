"""The widget as one file: at /widget.js, at an address of its content, and as the last releases had it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from markupsafe import escape

from web import bundle, cors
from web.look import FOREVER, digest

SOURCE = Path(__file__).parent / "widget"
RELEASES = SOURCE / "releases"
KEPT = 3  # releases whose file is still served: who pinned one has that long to take the next


@dataclass(frozen=True)
class Widget:
    """One state of the widget's file."""

    content: bytes

    @cached_property
    def name(self) -> str:
        """The name of the file: it changes with the content."""
        return f"widget-{digest(self.content)}.js"

    @cached_property
    def integrity(self) -> str:
        """The digest by which a browser refuses any other content (Subresource Integrity)."""
        return "sha384-" + base64.b64encode(hashlib.sha384(self.content).digest()).decode()


def current() -> Widget:
    """The widget as its sources are."""
    return Widget(bundle.join(SOURCE / "element.js"))


def released(folder: Path | None = None) -> list[Widget]:
    """The widget as the last releases had it, the newest first."""
    return [Widget(path.read_bytes()) for path in _files(folder or RELEASES)[:KEPT]]


def freeze(version: str, folder: Path = RELEASES) -> Path:
    """Keep the widget of a release, and forget those that are served no longer."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{version}.js"
    path.write_bytes(current().content)
    for old in _files(folder)[KEPT:]:
        old.unlink()
    return path


def tag(service: str, *, integrity: bool = False) -> str:
    """The lines of HTML that embed the widget; with `integrity` those of its present state and no other."""
    widget = current()
    name = widget.name if integrity else "widget.js"
    pinned = f' integrity="{widget.integrity}" crossorigin="anonymous"' if integrity else ""
    source = escape(f"{service.rstrip('/')}/{name}")
    return f'<script type="module" src="{source}"{pinned}></script>\n<broadsheet-search></broadsheet-search>'


def blueprint() -> Blueprint:
    """The routes of the widget's files."""
    widget = Blueprint("widget", __name__)
    newest = current()
    files = {each.name: each for each in (newest, *released())}

    @widget.get("/widget.js")
    def script() -> ResponseReturnValue:
        response = _response(newest, "no-cache")
        response.set_etag(digest(newest.content))
        return response.make_conditional(request)

    @widget.get("/widget-<key>.js")
    def pinned(key: str) -> ResponseReturnValue:
        if (name := f"widget-{key}.js") not in files:
            abort(404)
        return _response(files[name], FOREVER)

    return widget


def _response(widget: Widget, cached: str) -> Response:
    response = Response(widget.content, mimetype="text/javascript", headers={"Cache-Control": cached})
    cors.allow(response)  # a module of another origin is asked for with CORS
    return response


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.js"), key=lambda path: [int(part) for part in path.stem.split(".")], reverse=True)
