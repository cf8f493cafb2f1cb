"""Who may read an answer from a page of another site: anybody, as it is public and no cookie is ever asked for."""

from __future__ import annotations

from flask import Response, request

OPEN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
# A simple GET needs no preflight; one that is asked all the same is answered, so that a header does no harm.
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}


def allow(response: Response) -> None:
    """Let pages of any origin read it."""
    response.headers.extend(OPEN)
    if request.method == "OPTIONS":
        response.headers.extend(PREFLIGHT)
