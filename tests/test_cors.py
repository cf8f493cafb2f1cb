"""Pages of any origin may read public answers; no cookie and no preflight is needed, and an error can be read too."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

OPEN = ["/api/v1/search?q=snow", "/api/v1/suggest?q=sn", "/api/v1/articles/huts", "/search.rss", "/search.json"]
ORIGIN = {"Origin": "https://site.example"}


@pytest.mark.parametrize("path", [*OPEN, "/api/v1/search?foo=1", "/api/v1/articles/none", "/api/v1/nothing"])
def test_any_origin_may_read(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers=ORIGIN)
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("path", OPEN)
def test_a_preflight_that_is_asked_all_the_same_is_answered(client: FlaskClient, path: str) -> None:
    response = client.options(path, headers={**ORIGIN, "Access-Control-Request-Method": "GET"})
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in response.headers["Access-Control-Allow-Methods"]
    assert response.headers["Access-Control-Allow-Headers"] == "*"


@pytest.mark.parametrize("path", ["/search?q=snow", "/", "/nothing"])
def test_a_page_is_of_its_own_origin(client: FlaskClient, path: str) -> None:
    assert "Access-Control-Allow-Origin" not in client.get(path, headers=ORIGIN).headers
