"""The documents: what is not documented fails, what is documented is so, and every example runs.

`python tests/test_docs.py --write` renews the help texts of the commands in the README.
How fenced blocks are read: `console` is run and its output compared, where `...` stands for anything; `python` is run;
a block with a file name behind its language is that file. Every document has a folder of its own, with the sample
corpus in it.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner

from indexer import acceptance, events, frequent, progress, reading, sources
from indexer import run as runs
from indexer.sources.origin import LARGEST
from search import cli, ending, fields, query, reader, suggestions
from search.article import FIELDS, STATUSES
from search.engines import connect, whoosh
from search.engines.whoosh import generations
from web import create_app
from web.parameters import LONGEST_VALUE, MOST_VALUES
from web.schemas import DEEPEST, MOST_PER_PAGE, AddressSchema, Asked, SearchSchema, SuggestSchema
from web.serve import LARGEST_HEAD
from web.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
GUIDES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [README, *GUIDES]
EXAMPLES = [path for path in DOCUMENTS if path.name != "figures.md"]  # its commands ran on corpora that are not here
WIDTH = 80
PACKAGES = ("search", "indexer", "web")
HELP = "\n## The commands\n"
NOT_OURS = {"var", "dist", "build"}  # what commands make at the top of the checkout


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def text(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


# The help texts


def helps() -> Iterator[tuple[str, str]]:
    """Every command and what `--help` says of it, at a fixed width."""
    commands = cli.main.list_commands(click.Context(cli.main))
    for arguments in ([], *([command] for command in commands)):
        result = CliRunner().invoke(cli.main, [*arguments, "--help"], prog_name="broadsheet", terminal_width=WIDTH)
        assert result.exit_code == 0, result.output
        yield " ".join(["broadsheet", *arguments]), result.output


def commands_section() -> str:
    """The blocks of the README as they should be."""
    return "".join(f"### {command}\n\n```text\n{said.strip()}\n```\n\n" for command, said in helps()).rstrip() + "\n"


def write() -> None:
    """Renew the help texts in the README: they are the end of it."""
    before, heading, after = text(README).partition(HELP)
    assert heading, f"README.md has no section {HELP.strip()}"
    intro = after.split("\n### ", 1)[0].strip()
    README.write_text(f"{before}{HELP}\n{intro}\n\n{commands_section()}", encoding="utf-8")


def test_the_help_texts_are_those_of_the_commands() -> None:
    written = text(README).partition(HELP)[2]
    remedy = "renew them with: python tests/test_docs.py --write"
    assert written[written.index("### ") :] == commands_section(), remedy


def test_every_option_has_a_help_or_says_its_default() -> None:
    top = click.Context(cli.main)
    for command in cli.main.list_commands(top):
        found = cli.main.get_command(top, command)
        assert found is not None
        assert found.help, f"broadsheet {command} has no help"
        for option in found.params:
            if isinstance(option, click.Option):
                assert option.help or option.show_default, f"broadsheet {command} {option.opts[-1]} has no help"


# Tables of the guides, and what they describe


def python_files() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def rows(document: str, heading: str) -> list[list[str]]:
    """The cells of the table whose first heading this is; several such tables are read as one."""
    found: list[list[str]] = []
    inside = False
    for line in text(document).splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            inside = inside or cells[0] == heading
            if inside and cells[0] != heading and not set(cells[0]) <= {"-", ":", " "}:
                found.append(cells)
        else:
            inside = False
    assert found, f"{document} has no table of {heading}"
    return found


def names(document: str, heading: str) -> list[str]:
    """What stands between backticks in the first column."""
    return [found for cells in rows(document, heading) for found in re.findall(r"`([^`]+)`", cells[0])]


def test_every_setting_and_no_other_is_described() -> None:
    table = {cells[0].strip("`"): cells[1].strip("`") for cells in rows("docs/settings.md", "Variable")}
    defaults = {PREFIX + field.name.upper(): field.default for field in dataclasses.fields(Settings)}
    assert list(table) == list(defaults)
    for variable, default in defaults.items():
        if default is not None:
            assert table[variable] == str(default), variable


def test_every_variable_of_the_environment_is_described() -> None:
    for path in python_files():
        for variable in re.findall(rf"\b{PREFIX}[A-Z]+", path.read_text(encoding="utf-8")):
            described = [*names("docs/settings.md", "Variable"), *names("docs/operations.md", "Variable")]
            assert variable in described, f"{name(path)} reads {variable}"


def test_no_parameter_and_no_code_is_described_that_is_none() -> None:
    # That each of them is described stands in test_api.py, beside what they do.
    schemas = (SearchSchema, SuggestSchema, AddressSchema)
    parameters = {name for schema in schemas for name in schema._declared_fields}
    assert set(names("docs/api.md", "Parameter")) <= parameters
    source = "".join(text(path) for path in ("web/errors.py", "web/parameters.py", "web/schemas.py"))
    for code in names("docs/api.md", "Code"):
        assert f'"{code}"' in source, f"docs/api.md describes the code {code}, which nothing gives"


def test_the_defaults_of_parameters_are_those_described() -> None:
    table = {cells[0].strip("`"): cells[1].strip("`") for cells in rows("docs/api.md", "Parameter") if len(cells) == 3}
    asked = Asked()
    assert set(table) == {"limit", *(field.name for field in dataclasses.fields(Asked))}
    assert table["limit"] == str(suggestions.MOST)
    for parameter in ("page", "per_page", "highlight", "fold"):
        assert table[parameter] == str(int(getattr(asked, parameter)))
    assert table["facets"] == ",".join(asked.facets)


# A number in a guide, and where it comes from.
NUMBERS = [
    ("docs/api.md", f"At most {query.LONGEST_TEXT} characters"),
    ("docs/api.md", f"Results on a page, at most {MOST_PER_PAGE};"),
    ("docs/api.md", f"`page` times `per_page` is at most {DEEPEST:,}"),
    ("docs/api.md", f"more than {MOST_VALUES} times"),
    ("docs/api.md", f"{query.LONGEST_TEXT} for `q`, 2,000 for `url`, else {LONGEST_VALUE}"),
    ("docs/api.md", f"longer than {LARGEST_HEAD // 1024} kB"),
    ("docs/formats.md", f"One article is at most {LARGEST // 2**20} MiB"),
    ("docs/searching.md", f"up to {query.LONGEST_TEXT} characters"),
    ("docs/searching.md", f"{fields.MOST_WORDS} words: of more the rarest"),
    ("docs/searching.md", f"at most {reader.DEEPEST} deep"),
    ("docs/operations.md", f"in batches of {reading.BATCH:,}"),
    ("docs/operations.md", f"falls by more than {acceptance.MOST_WORSE:.2f}".replace("0.", ".")),
    ("docs/operations.md", f"over a {({0.05: 'twentieth'})[acceptance.MOST_LOST]} of these searches"),
    ("docs/operations.md", f"over a {({0.1: 'tenth'})[runs.MOST_LOST]} fewer articles"),
    ("docs/operations.md", f"the {frequent.MOST:,} most frequent are asked"),
    ("docs/operations.md", f"the first {({10: 'ten'})[events.MOST_SHOWN]} of each"),
    ("docs/operations.md", f"waits {whoosh.WAIT:.0f} seconds"),
    ("docs/operations.md", f"The newest {('no', 'one', 'two', 'three', 'four')[generations.KEEP]} are kept"),
    ("README.md", f"A facet lists {fields.FACET_SIZE} values"),
    ("README.md", f"articles over {LARGEST // 2**20} MiB"),
    ("README.md", f"up to the {DEEPEST:,}th"),
]


@pytest.mark.parametrize(("document", "said"), NUMBERS)
def test_numbers_are_those_of_the_code(document: str, said: str) -> None:
    assert said in " ".join(text(document).split())


def test_every_field_of_an_article_and_no_other_is_described() -> None:
    first = text("docs/formats.md").partition("## Markdown")[0]
    described = [found for row in re.findall(r"^\| (`.*?) \|", first, re.M) for found in re.findall(r"`(\w+)`", row)]
    assert described == list(FIELDS)
    assert all(f"`{status}`" in first for status in STATUSES)


def test_every_searched_field_is_described_with_its_weight() -> None:
    table = {cells[0].strip("`"): cells for cells in rows("docs/searching.md", "Field")}
    assert list(table) == [field.name for field in fields.SEARCHED]
    for field in fields.SEARCHED:
        _, weight, length, prefixes = table[field.name]
        assert (float(weight), float(length)) == (field.weight, field.b), field.name
        assert set(re.findall(r"`(\w+):`", prefixes)) == {k for k, v in fields.PREFIXES.items() if v == field.name}
    assert f"counts {fields.STEM_MATE} of the word" in text("docs/searching.md")


def test_every_suffix_and_no_other_is_described() -> None:
    assert names("docs/formats.md", "Suffix") == list(sources.READERS)


def test_every_exit_code_is_described() -> None:
    codes = {int(cells[0]) for cells in rows("docs/operations.md", "Code")}
    assert codes == {cli.DONE, cli.PARTLY, cli.NOTHING_DONE, ending.INTERRUPTED, ending.TERMINATED}


def test_every_event_and_no_other_is_described() -> None:
    assert names("docs/operations.md", "Event") == list(events.EVENTS)
    assert f"Every {('no', 'one', 'two', 'three', 'four', 'five')[round(progress.EVERY)]} seconds" in text(
        "docs/operations.md"
    )


@pytest.mark.parametrize("cells", rows("docs/operations.md", "What is said"), ids=lambda cells: cells[0][:40])
def test_what_is_said_is_said_somewhere(cells: list[str]) -> None:
    """The messages that the guide explains are those of the program."""
    source = "".join(
        path.read_text(encoding="utf-8") for package in PACKAGES for path in (ROOT / package).rglob("*.py")
    )
    for message in re.findall(r"`([^`]+)`", cells[0]):
        for part in re.split(r"\.\.\.|process \d+|\bCURRENT\b", message):
            assert part.strip() in source, f"docs/operations.md quotes {part.strip()!r}"


# The house


def house() -> list[str]:
    """The paths in the map of the README."""
    block = text(README).partition("## The house")[2].partition("```text\n")[2].partition("```")[0]
    found: list[str] = []
    above: list[tuple[int, str]] = []
    for line in block.splitlines():
        depth = len(line) - len(line.lstrip())
        above = [(d, part) for d, part in above if d < depth]
        above.append((depth, line.split()[0]))
        found.append("".join(part for _, part in above))
    return found


def test_the_map_shows_every_folder_and_module() -> None:
    shown = house()
    assert len(shown) == len(set(shown))
    for path in shown:
        assert (ROOT / path).exists(), f"the map shows {path}, which is not there"
        assert path.endswith("/") == (ROOT / path).is_dir(), path
    there = {
        f"{path.name}/"
        for path in ROOT.iterdir()
        if path.is_dir() and path.name[0] not in "._" and path.name not in NOT_OURS and ".egg" not in path.name
    }
    there |= {f"{name(path.parent)}/" if path.name == "__init__.py" else name(path) for path in python_files()}
    assert there <= set(shown), f"the map lacks {sorted(there - set(shown))}"


PLACES = re.findall(r"`([\w/]+\.py): ([\w.]+)`", "".join(map(text, DOCUMENTS)))


@pytest.mark.parametrize(("path", "thing"), sorted(set(PLACES)))
def test_every_function_of_the_walks_is_there(path: str, thing: str) -> None:
    scopes: Sequence[ast.AST] = [ast.parse(text(path))]
    for part in thing.split("."):
        scopes = [node for scope in scopes for node in ast.walk(scope) if getattr(node, "name", None) == part]
    assert scopes, f"{path} has no {thing}"


# Links and paths


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_and_paths_lead_somewhere(document: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", text(document), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in target:
            continue
        path, _, place = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        assert there.exists(), f"{name(document)} links to {target}"
        if place:
            anchors = map(anchor, re.findall(r"^#+ (.*)", there.read_text(encoding="utf-8"), re.M))
            assert place in anchors, f"{name(document)} links to {target}"
    for path in re.findall(r"`((?:search|indexer|web|tests|docs|sample_corpus)/[\w./-]*)[`:]", prose):
        assert (ROOT / path).exists(), f"{name(document)} names {path}"


@pytest.mark.parametrize("guide", GUIDES, ids=name)
def test_the_readme_links_to_every_guide(guide: Path) -> None:
    assert f"]({name(guide)})" in text(README)


def test_make_targets_are_described() -> None:
    targets = re.findall(r"^(\w+):", text("Makefile"), re.M)
    assert {"run", "test"} <= set(targets)
    described = text(README)
    assert [target for target in targets if f"make {target}" not in described] == []
    for target in re.findall(r"`make (\w+)", described):
        assert target in targets, f"there is no make {target}"


# Examples


class Block(NamedTuple):
    language: str
    file: str
    content: str
    line: int


def blocks(document: Path) -> Iterator[Block]:
    content = text(document)
    for found in re.finditer(r"^```(\w*) ?([^\n]*)\n(.*?)^```$", content, re.M | re.S):
        yield Block(found[1], found[2], found[3], content.count("\n", 0, found.start()) + 1)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_fenced_blocks_say_what_they_are(document: Path) -> None:
    assert text(document).count("\n```") % 2 == 0
    for block in blocks(document):
        assert block.language, f"{name(document)}:{block.line} has no language"


@pytest.mark.parametrize("document", EXAMPLES, ids=name)
def test_every_example_runs(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("INDEX", "TIMEZONE"):
        monkeypatch.delenv(PREFIX + variable, raising=False)
    Path("sample_corpus").symlink_to(ROOT / "sample_corpus")
    last = 0
    for block in blocks(document):
        where = f"{name(document)}:{block.line}"
        if block.file:
            Path(block.file).parent.mkdir(exist_ok=True)
            Path(block.file).write_text(block.content, encoding="utf-8")
        elif block.language == "python":
            exec(compile(block.content, where, "exec"), {})
        elif block.language == "console":
            for command, expected in console(block.content):
                last, output = run(command, last)
                assert matches(expected, output, json=command.startswith("curl")), (
                    f"{where}\n$ {command}\ngave\n{output}"
                )


def console(content: str) -> Iterator[tuple[str, str]]:
    """Each command and the output that is shown for it."""
    starts = [found.start() for found in re.finditer(r"^\$ ", content, re.M)]
    assert starts
    assert starts[0] == 0
    for start, end in pairwise([*starts, len(content)]):
        command, _, output = content[start + 2 : end].partition("\n")
        yield command, output


def run(command: str, last: int) -> tuple[int, str]:
    """The exit code and all that a command writes."""
    program, *arguments = shlex.split(command)
    if program == "broadsheet":
        result = CliRunner().invoke(cli.main, arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output
    if program == "curl":
        address = re.fullmatch(r"(http://127\.0\.0\.1:8000)(/.*)", arguments[-1])
        assert address, command
        with closing(connect(Settings().index)) as engine:
            client = create_app(Settings(), engine).test_client()
            return 0, client.get(address[2], base_url=address[1]).text
    if program in ("mkdir", "cp"):
        subprocess.run([program, *arguments], check=True)
        return 0, ""
    assert command == "echo $?", f"no example can run {program}"
    return last, f"{last}\n"


def matches(expected: str, output: str, *, json: bool) -> bool:
    """Whether this is the output, where `...` stands for anything; the spaces of JSON are free."""
    if json:
        expected, output = ("".join(part.split()) for part in (expected, output))
    else:
        expected, output = expected.strip(), output.strip()
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, output, re.DOTALL) is not None


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"usage: python {sys.argv[0]} --write")
    write()
