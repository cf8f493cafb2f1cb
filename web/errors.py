"""What went wrong, told: problem details (RFC 9457) to programs, a page in plain words to readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus

from flask import Flask, Response, current_app, json, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from search.engines import ArticleGone, ArticleMissing, EngineError, IndexMissing
from web.language import msg
from web.parameters import ParameterError, Problem

FOR_PROGRAMS = ("/api/", "/search.rss", "/search.json", "/opensearch", "/healthz", "/readyz")
RETRY_AFTER = 10  # seconds


@dataclass(frozen=True, slots=True)
class Trouble:
    """One failure: its HTTP status, a code that stays, and words that give nothing of the machine away."""

    status: int
    code: str
    title: str
    detail: str


# The most special class first.
TROUBLES: tuple[tuple[type[Exception], Trouble], ...] = (
    (ArticleGone, Trouble(410, "article_gone", msg("The article is gone"), msg("This article was withdrawn."))),
    (
        ArticleMissing,
        Trouble(404, "article_not_found", msg("No such article"), msg("There is no article at this address.")),
    ),
    (
        IndexMissing,
        Trouble(
            503,
            "index_missing",
            msg("Nothing is indexed yet"),
            msg("There is no index to search. Whoever runs this service fills it with: broadsheet index PATH"),
        ),
    ),
    (
        EngineError,
        Trouble(
            503,
            "search_unavailable",
            msg("Search is unavailable"),
            msg("The index cannot be asked at the moment. Please try again in a little while."),
        ),
    ),
    (
        ParameterError,
        Trouble(422, "invalid_parameters", "The parameters cannot be used", "See errors for each one and its remedy."),
    ),
)
PLAIN = {
    404: Trouble(404, "not_found", msg("No such page"), msg("There is nothing at this address.")),
    405: Trouble(405, "method_not_allowed", msg("Method not allowed"), msg("This address is for reading: use GET.")),
    500: Trouble(
        500, "internal_error", msg("Something went wrong"), msg("The failure was written to the log of the service.")
    ),
}


def init_app(app: Flask) -> None:
    """Translate every failure, here and nowhere else."""
    for kind, _ in TROUBLES:
        app.register_error_handler(kind, _known)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unknown)


def _known(error: Exception) -> Response:
    trouble = next(trouble for kind, trouble in TROUBLES if isinstance(error, kind))
    if trouble.status == HTTPStatus.SERVICE_UNAVAILABLE:
        current_app.logger.error("%s", error)
    return _response(trouble, error.problems if isinstance(error, ParameterError) else ())


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:  # a redirect is no failure
        return error.get_response()
    trouble = PLAIN.get(status) or Trouble(
        status, error.name.lower().replace(" ", "_"), error.name, error.description or error.name
    )
    response = _response(trouble)
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _unknown(error: Exception) -> Response:
    current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return _response(PLAIN[500])


def _response(trouble: Trouble, problems: Sequence[Problem] = ()) -> Response:
    if request.path.startswith(FOR_PROGRAMS):
        body: dict[str, object] = {"type": "about:blank", **asdict(trouble)}
        if problems:
            body["errors"] = [asdict(problem) for problem in problems]
        response = Response(json.dumps(body), trouble.status, mimetype="application/problem+json")
    else:
        response = Response(render_template("error.html", trouble=trouble), trouble.status)
    if trouble.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response
