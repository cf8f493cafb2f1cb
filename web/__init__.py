"""Asks for the reader: the search page and the API, as one Flask application."""

from __future__ import annotations

from flask import Flask, Response, request

from search.engines import Engine, connect
from web import api, cors, demo, description, errors, feeds, look, pages, widgets
from web.settings import Settings, read

_ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin"}


def create_app(settings: Settings | None = None, engine: Engine | None = None) -> Flask:
    """The application; without settings those of the environment, without an engine the one of the settings.

    Nothing is opened before the first request: the service starts, and says so, where there is no index yet.
    """
    settings = settings or read()
    engine = engine or connect(settings.index)
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    look.init_app(app, settings)
    app.register_blueprint(api.blueprint(settings, engine))
    app.register_blueprint(pages.blueprint(settings, engine))
    app.register_blueprint(feeds.blueprint(settings, engine))
    app.register_blueprint(description.blueprint(settings, engine))
    app.register_blueprint(widgets.blueprint())
    app.register_blueprint(demo.blueprint(settings, engine))
    errors.init_app(app)
    page = {"Content-Security-Policy": _policy(settings)}

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.extend(_ALWAYS)
        if request.path.startswith(errors.FOR_PROGRAMS):
            cors.allow(response)
        else:
            response.headers.extend(page)
        response.headers.setdefault("Cache-Control", "no-cache")
        return response

    return app


def _policy(settings: Settings) -> str:
    """What a page may load: its own, and images of the hosts that are named. An injected tag could do nothing."""
    images = " ".join(("'self'", "data:", *(settings.images or ())))
    return (
        f"default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src {images}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
