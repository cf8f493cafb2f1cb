"""The recipes of the widget at /widget/demo: each is shown live and as the code to copy, from one source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from search.answer import answer
from search.engines import Engine, Facet
from search.query import Query
from web import widgets
from web.settings import Settings

RECIPES = Path(__file__).parent / "widget" / "recipes"
KINDS = {".css": "CSS", ".js": "JavaScript"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to use the widget: its HTML, and the style and script that go with it.

    The file of HTML begins with a comment: the title, a colon, and what it is for. `$service` stands for the address of
    the service, `$section` for a section that has articles.
    """

    name: str
    title: str
    use: str
    files: dict[str, str]  # by suffix

    def html(self, values: dict[str, str]) -> Markup:
        """What is copied, and what runs on the page."""
        escaped = {name: str(escape(value)) for name, value in values.items()}
        return Markup(Template(self.files[".html"]).substitute(escaped))

    def others(self) -> list[tuple[str, str]]:
        """The name of a language and what is written in it, beside the HTML."""
        return [(KINDS[suffix], text) for suffix, text in self.files.items() if suffix in KINDS]


def recipes() -> list[Recipe]:
    """All recipes, in the order of their file names."""
    return [_read(path) for path in sorted(RECIPES.glob("*.html"))]


def blueprint(settings: Settings, engine: Engine) -> Blueprint:
    """The page of recipes, its style and its script."""
    demo = Blueprint("demo", __name__, url_prefix="/widget")
    book = recipes()
    style = (RECIPES.parent / "demo.css").read_text(encoding="utf-8") + _joined(book, ".css")
    script = _joined(book, ".js")

    @demo.get("/demo")
    def page() -> ResponseReturnValue:
        service = settings.url or request.host_url.rstrip("/")
        values = {"service": service, "section": _section(engine)}
        return render_template("demo.html", recipes=book, values=values, tag=widgets.tag(service))

    @demo.get("/demo.css")
    def sheet() -> ResponseReturnValue:
        return Response(style, mimetype="text/css")

    @demo.get("/demo.js")
    def code() -> ResponseReturnValue:
        return Response(script, mimetype="text/javascript")

    return demo


def _read(path: Path) -> Recipe:
    head, _, html = path.read_text(encoding="utf-8").partition("-->\n")
    title, _, use = head.removeprefix("<!--").strip().partition(": ")
    others = {suffix: path.with_suffix(suffix) for suffix in KINDS}
    files = {suffix: file.read_text(encoding="utf-8").strip() for suffix, file in others.items() if file.exists()}
    return Recipe(path.stem.partition("-")[2], title, " ".join(use.split()), {".html": html.strip(), **files})


def _joined(book: list[Recipe], suffix: str) -> str:
    return "".join(f"{recipe.files[suffix]}\n" for recipe in book if suffix in recipe.files)


def _section(engine: Engine) -> str:
    """The section that has most articles."""
    sections = answer(engine, Query(per_page=0, facets=("section",))).facets["section"]
    assert isinstance(sections, Facet)
    return max(sections.values, key=lambda value: value.count).value if sections.values else "World"
