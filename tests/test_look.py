"""The site's own look: theme, logo, header and footer, images of named hosts; and that a page asks for little."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html

from search.engines import Engine
from web import create_app
from web.settings import Settings, SettingsError, read

BUDGET = 30 * 1024  # bytes of page and style, gzipped


def asks(engine: Engine, environ: Mapping[str, str]) -> FlaskClient:
    return create_app(read({f"BROADSHEET_{name}": value for name, value in environ.items()}), engine).test_client()


def tree(client: FlaskClient, query: str = "") -> Any:
    return html.document_fromstring(client.get(f"/search?{query}").text)


def style(client: FlaskClient) -> str:
    (address,) = tree(client).xpath("//link[@rel='stylesheet']/@href")
    response = client.get(address)
    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]
    return response.text


def test_a_theme_comes_after_the_style_of_the_page_in_the_same_file(newsroom: Engine, tmp_path: Path) -> None:
    theme = tmp_path / "site.css"
    theme.write_text(":root { --accent: #00563f; }")
    plain, themed = asks(newsroom, {}), asks(newsroom, {"THEME": str(theme)})
    assert style(themed) == style(plain) + "\n:root { --accent: #00563f; }"
    # So that nobody keeps the old one.
    assert tree(plain).xpath("//link[@rel='stylesheet']/@href") != tree(themed).xpath("//link[@rel='stylesheet']/@href")


def test_a_style_of_another_content_is_not_there(client: FlaskClient) -> None:
    assert client.get("/look/style-000000000000.css").status_code == 404


def test_a_logo_stands_for_the_name(newsroom: Engine, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    client = asks(newsroom, {"LOGO": str(logo), "TITLE": "Tom & Jerry’s"})
    (image,) = tree(client).xpath("//p[@class='name']/a/img")
    assert image.get("alt") == "Tom & Jerry’s"
    response = client.get(image.get("src"))
    assert (response.mimetype, response.text) == ("image/svg+xml", logo.read_text())


def test_header_and_footer_are_those_of_the_site(newsroom: Engine, tmp_path: Path) -> None:
    (tmp_path / "header.html").write_text("<p class='own'>{{ settings.title }}</p>")
    (tmp_path / "footer.html").write_text("<footer>Printed daily</footer>")
    (tmp_path / "search.html").write_text("not taken")
    client = asks(newsroom, {"TEMPLATES": str(tmp_path), "TITLE": "A & B"})
    page = tree(client, "q=snow")
    assert page.xpath("//header/p[@class='own']/text()") == ["A & B"]
    assert page.xpath("//body/footer/text()") == ["Printed daily"]
    assert not page.xpath("//p[@class='name']")
    assert page.xpath("//ol[@class='results']")
    assert tree(client, "q=snow").xpath("//form[@role='search']")


@pytest.mark.parametrize(
    ("hosts", "shown"),
    [
        ("", []),
        ("https://news.example", ["https://news.example/huts.jpg"]),
        ("https://a.example https://NEWS.example", ["https://news.example/huts.jpg"]),
        ("http://news.example", []),
        ("https://news.example.evil.example", []),
    ],
)
def test_images_come_from_named_hosts_alone(newsroom: Engine, hosts: str, shown: list[str]) -> None:
    client = asks(newsroom, {"IMAGES": hosts})
    page = tree(client, "q=glacier+huts")
    assert page.xpath("//article/img/@src") == shown
    for image in page.xpath("//article/img"):  # so that nothing moves when it comes
        assert image.get("width")
        assert image.get("height")
    policy = client.get("/search").headers["Content-Security-Policy"]
    allowed = next(part.split()[1:] for part in policy.split("; ") if part.startswith("img-src"))
    assert allowed == ["'self'", "data:", *hosts.lower().split()]


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("THEME", "nowhere.css", "there is no such file"),
        ("THEME", "theme.txt", "name a file that ends in .css"),
        ("LOGO", "theme.txt", "name a file that ends in .svg, .png"),
        ("TEMPLATES", "nowhere", "there is no such folder"),
        ("IMAGES", "images.example", "write an address with its scheme"),
        ("IMAGES", "https://images.example/path", "write scheme and host alone"),
        ("IMAGES", "https://a.example; script-src *", "write"),
        ("LANGUAGE", "xx", "write one of en"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, remedy: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("theme.txt").write_text("")
    with pytest.raises(SettingsError, match=f"BROADSHEET_{variable}=.*{remedy}"):
        read({f"BROADSHEET_{variable}": value})


@pytest.mark.parametrize("query", ["", "q=snow", "q=tide&per_page=10", "q=zebra"])
def test_a_page_is_small_and_asks_nobody_else(client: FlaskClient, query: str) -> None:
    source = client.get(f"/search?{query}").text
    page = html.document_fromstring(source)
    loaded = page.xpath("//link[@rel='stylesheet']/@href | //script/@src | //img/@src")
    assert len(loaded) <= 2
    assert all(address.startswith("/") for address in loaded)
    sizes = [len(gzip.compress(text.encode())) for text in (source, *(client.get(address).text for address in loaded))]
    assert sum(sizes) <= BUDGET
    assert not page.xpath("//@style | //style | //@onclick | //script[not(@src)]")


def test_settings_know_every_default() -> None:
    assert read({}) == Settings()
