"""Asks for the reader: the search page and the API, as one Flask application."""

from __future__ import annotations

from flask import Flask, Response, request

from search.engines import Engine, connect
from web import api, errors, pages
from web.settings import Settings, read

_ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin"}
_PAGE = {
    # No script at all, and nothing from elsewhere: an injected tag could do nothing.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
_PROGRAM = {"Access-Control-Allow-Origin": "*"}  # public answers, no cookies: any site may read them


def create_app(settings: Settings | None = None, engine: Engine | None = None) -> Flask:
    """The application; without settings those of the environment, without an engine the one of the settings.

    Nothing is opened before the first request: the service starts, and says so, where there is no index yet.
    """
    settings = settings or read()
    engine = engine or connect(settings.index)
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 365 * 24 * 3600  # the address of a file changes with its content
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(lambda: {"settings": settings})
    app.register_blueprint(api.blueprint(settings, engine))
    app.register_blueprint(pages.blueprint(settings, engine))
    errors.init_app(app)
    app.after_request(_headers)
    return app


def _headers(response: Response) -> Response:
    response.headers.extend(_ALWAYS)
    response.headers.extend(_PROGRAM if request.path.startswith(errors.FOR_PROGRAMS) else _PAGE)
    response.headers.setdefault("Cache-Control", "no-cache")
    return response
