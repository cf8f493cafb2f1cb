"""The widget's files: one small script at its addresses, kept for three releases; and the lines that embed it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from markupsafe import escape

from search import cli
from search.engines import Engine
from search.query import LONGEST_TEXT
from web import bundle, create_app, demo, widgets
from web.settings import Settings

BUDGET = 10_000  # bytes, gzipped
GUIDE = Path(__file__).parent.parent / "docs" / "widget.md"


def sources(pattern: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(widgets.SOURCE.glob(pattern)))


def documented(heading: str) -> list[str]:
    """The names in the first column of the table whose first heading this is."""
    table = GUIDE.read_text(encoding="utf-8").partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `([^`]+)`", table, re.M)


def test_the_whole_widget_is_small() -> None:
    assert len(gzip.compress(widgets.current().content)) <= BUDGET


def test_the_widget_has_what_it_needs_in_one_file_and_evaluates_nothing() -> None:
    content = widgets.current().content.decode()
    assert "customElements.define" in content
    for word in ("import ", "export ", "innerHTML", "eval(", "new Function", 'setAttribute("style"', "document.write"):
        assert word not in content, word


def test_the_box_takes_as_much_as_the_service_reads() -> None:
    assert f"LONGEST_QUERY = {LONGEST_TEXT};" in sources("view.js")


def test_widget_js_is_looked_up_anew_and_sent_when_it_changed(client: FlaskClient) -> None:
    response = client.get("/widget.js")
    assert response.status_code == 200
    assert response.mimetype == "text/javascript"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    again = client.get("/widget.js", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Access-Control-Allow-Origin"] == "*"


def test_the_pinned_file_is_kept_for_ever_and_holds_what_its_name_says(client: FlaskClient) -> None:
    widget = widgets.current()
    response = client.get(f"/{widget.name}")
    assert response.data == client.get("/widget.js").data
    assert response.mimetype == "text/javascript"
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert widget.integrity == "sha384-" + base64.b64encode(hashlib.sha384(response.data).digest()).decode()
    assert client.get("/widget-000000000000.js").status_code == 404


def test_three_releases_are_kept_in_the_order_of_their_versions(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    for version in ("0.2.0", "0.9.1", "0.10.0"):
        folder.mkdir(exist_ok=True)
        (folder / f"{version}.js").write_text(f"// {version}")
    assert widgets.freeze("1.0.0", folder).name == "1.0.0.js"
    assert sorted(path.name for path in folder.iterdir()) == ["0.10.0.js", "0.9.1.js", "1.0.0.js"]
    assert [widget.content for widget in widgets.released(folder)] == [
        widgets.current().content,
        b"// 0.10.0",
        b"// 0.9.1",
    ]


def test_the_files_of_released_widgets_are_served(
    newsroom: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0.1.0.js").write_text("// as it was")
    monkeypatch.setattr(widgets, "RELEASES", tmp_path)
    client = create_app(Settings(), newsroom).test_client()
    assert client.get(f"/{widgets.Widget(b'// as it was').name}").data == b"// as it was"
    assert client.get(f"/{widgets.current().name}").status_code == 200


# The command


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        (["--service", "https://s.example"], {}, 'src="https://s.example/widget.js"></script>'),
        (["--service", "https://s.example/find/"], {}, 'src="https://s.example/find/widget.js"></script>'),
        ([], {"BROADSHEET_URL": "https://u.example"}, 'src="https://u.example/widget.js"></script>'),
        (
            ["--service", "https://s.example", "--integrity"],
            {"BROADSHEET_URL": "https://u.example"},
            f'src="https://s.example/{widgets.current().name}" integrity="{widgets.current().integrity}" '
            'crossorigin="anonymous"></script>',
        ),
    ],
)
def test_widget_tag_prints_the_lines_to_embed(options: list[str], environ: dict[str, str], expected: str) -> None:
    result = CliRunner().invoke(cli.main, ["widget-tag", *options], env={"BROADSHEET_URL": None, **environ})
    assert result.exit_code == 0
    assert result.output == f'<script type="module" {expected}\n<broadsheet-search></broadsheet-search>\n'


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "say where the service is: --service https://search.example.org, or BROADSHEET_URL"),
        (["--service", "search.example.org"], "write an address with its scheme"),
    ],
)
def test_widget_tag_needs_the_address_of_the_service(options: list[str], said: str) -> None:
    result = CliRunner().invoke(cli.main, ["widget-tag", *options], env={"BROADSHEET_URL": None})
    assert result.exit_code == 2
    assert said in result.output


# The page of recipes


def test_what_a_recipe_shows_is_what_runs(client: FlaskClient) -> None:
    page = client.get("/widget/demo").text
    values = {"service": "http://localhost", "section": "Service"}
    assert len(demo.recipes()) >= 10
    for recipe in demo.recipes():
        html = str(recipe.html(values))
        assert f'<div class="live">\n{html}\n</div>' in page
        assert f"<pre><code>{escape(html)}</code></pre>" in page
        for suffix, address in ((".css", "/widget/demo.css"), (".js", "/widget/demo.js")):
            assert recipe.files.get(suffix, "") in client.get(address).text


def test_the_demo_is_a_page_under_the_strict_policy(client: FlaskClient) -> None:
    response = client.get("/widget/demo")
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert client.get("/widget/demo.css").mimetype == "text/css"
    assert client.get("/widget/demo.js").mimetype == "text/javascript"


def test_a_section_with_signs_of_html_stays_text() -> None:
    recipe = demo.Recipe("x", "X", "x", {".html": '<broadsheet-search section="$section">'})
    assert recipe.html({"section": 'Arts & "Letters"'}) == (
        '<broadsheet-search section="Arts &amp; &#34;Letters&#34;">'
    )


# The guide


def test_every_attribute_and_no_other_is_described() -> None:
    read = set(re.findall(r'[gh]e?a?[ts]Attribute\("([\w-]+)"\)', sources("element.js")))
    read |= set(re.findall(r":host\(\[(theme)=", sources("style.css")))
    assert set(documented("Attribute")) == read | {"lang"}


def test_every_variable_part_field_and_event_and_no_other_is_described() -> None:
    scripts, style = sources("*.js"), sources("style.css")
    assert set(documented("Variable")) == set(re.findall(r"var\((--broadsheet-\w+),", style))
    fields = set(re.findall(r"^  (\w+): \(result", scripts, re.M))
    assert set(documented("Field")) == fields
    parts = set(re.findall(r'part: "([\w-]+)"', scripts)) | {"title", "snippet", "notice", "status", "section", "date"}
    assert set(documented("Part")) == parts
    assert set(documented("Event")) == {f"broadsheet:{name}" for name in re.findall(r'#emit\("(\w+)"', scripts)}


# Joining


def modules(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)
    return folder / "main.js"


def test_modules_are_joined_once_each_before_those_that_import_them(tmp_path: Path) -> None:
    entry = modules(
        tmp_path,
        main_js='import { a } from "./a.js";\nimport { b } from "./b.js";\nimport css from "./look.css" '
        'with { type: "css" };\nuse(a, b, css);\n',
        a_js='import { b } from "./b.js";\nexport const a = b + 1; // a comment\n',
        b_js="export const b = 1;\n",
        look_css='p { content: "\\"";\n  margin: 0; }\n',
    )
    joined = bundle.join(entry).decode()
    assert joined.startswith("const b=1;const a=b+1;")
    assert joined.count("const b=") == 1
    assert '.replaceSync("p{content:\\"\\\\\\"\\";margin:0}")' in joined
    assert joined.endswith("use(a,b,css);")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"main_js": 'import { a } from "./a.js";\nconst b = 1;\n', "a_js": "export const a = 1;\nlet b = 2;\n"}, "b"),
        ({"main_js": 'import * as all from "./a.js";\n', "a_js": ""}, "import * as all"),
        ({"main_js": "export default 1;\n"}, "export default 1;"),
    ],
)
def test_what_cannot_be_joined_is_named(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(bundle.BundleError, match=re.escape(said)):
        bundle.join(modules(tmp_path, **files))
