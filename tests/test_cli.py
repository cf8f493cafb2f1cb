"""The command line: what it says, where, and its exit codes."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from indexer import progress, reading
from indexer import run as runs
from search import cli
from search.engines import whoosh as embedded
from search.engines.whoosh import lock
from search.engines.whoosh.store import Store

ARTICLES = [
    {
        "id": "alps",
        "url": "https://news.example/alps",
        "title": "Huts in the Alps",
        "body": "The huts of the Alps are full. Book early.",
        "section": "Travel",
        "tags": ["mountains"],
        "authors": ["Ann Lee"],
        "published": "2025-08-06T12:00:00Z",
    },
    {"id": "vote", "title": "A vote <today>", "body": "Voters in the Alps decide.", "section": "World"},
    {"id": "old", "title": "Old huts", "body": "A story.", "section": "Travel", "published": "2024-01-31T23:30:00Z"},
]


@pytest.fixture
def index(tmp_path):
    return tmp_path / "index"


@pytest.fixture
def broadsheet(index):
    def run(*args, stdin=None):
        environment = {"BROADSHEET_INDEX": f"whoosh:{index}", "BROADSHEET_TIMEZONE": None}
        return CliRunner().invoke(cli.main, [str(arg) for arg in args], input=stdin, env=environment)

    return run


@pytest.fixture
def articles(tmp_path):
    path = tmp_path / "articles.jsonl"
    path.write_text("".join(json.dumps(article) + "\n" for article in ARTICLES))
    return path


@pytest.fixture
def filled(broadsheet, articles):
    assert broadsheet("index", articles, "--quiet").exit_code == 0
    return broadsheet


def test_every_command_is_there(broadsheet):
    help = broadsheet("--help").stdout
    for name in ("search", "explain", "index", "reindex", "status", "takedown", "takedowns", "serve"):
        assert f"\n  {name} " in help


def test_index_reports_what_it_did(broadsheet, articles):
    for line in ("3 added, 0 changed, 0 unchanged", "0 added, 0 changed, 3 unchanged"):
        result = broadsheet("index", articles)
        assert (result.exit_code, result.stdout) == (0, f"{line}, 0 removed, 0 refused\n")


def test_what_is_refused_is_named(broadsheet, articles):
    articles.write_text(articles.read_text() + '{"id": "x"}\n')
    result = broadsheet("index", articles, "--quiet")
    assert result.exit_code == 1
    assert result.stderr == f"refused {articles}:4: it has neither title nor body\n"
    assert broadsheet("search", "huts").exit_code == 0


def test_a_pattern_in_quotes_names_files(broadsheet, articles):
    assert broadsheet("index", articles.parent / "*.jsonl").stdout.startswith("3 added")
    result = broadsheet("index", articles.parent / "*.html")
    assert result.exit_code == 2
    assert f"refused {articles.parent}/*.html: this pattern matches no file" in result.stderr


def test_what_is_noted_is_said_once(broadsheet, articles):
    articles.write_text('{"id": "x", "title": "T", "mood": "good"}\n' * 2)
    result = broadsheet("index", articles)
    assert result.exit_code == 0
    assert result.stderr.count("mood") == 1
    assert f"twice {articles}:2: the same article twice; first seen {articles}:1 (id x)" in result.stderr


@pytest.mark.parametrize(
    ("content", "said"), [("", "refused"), ("{\n", "refused"), (None, "no article could be read; nothing was done")]
)
def test_nothing_done(broadsheet, tmp_path, index, content, said):
    folder = tmp_path / "empty"
    folder.mkdir()
    if content is not None:
        (folder / "a.jsonl").write_text(content)
    for command in ("index", "reindex"):
        result = broadsheet(command, folder)
        assert result.exit_code == 2
        assert said in result.stderr
        assert "nothing was done" in result.stderr
    assert not index.exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["index", "/no/such/folder"], "/no/such/folder"),
        (["index"], "PATH"),
        (["index", "--timezone", "Mars/Base", "."], "Europe/London"),
        (["search", "x"], "there is no index at"),
        (["status"], "there is no index at"),
        (["reindex"], "there is no index at"),
        (["takedown", "x", "--reason", "r"], "there is no index at"),
        (["takedown", "x"], "--reason"),
        (["--index", "elastic:x", "status"], "no engine is called 'elastic'"),
        (["--index", "nothing", "status"], "'nothing' is no index address: write whoosh:nothing"),
        (["--index", "/srv/index", "status"], "'/srv/index' is no index address: write whoosh:/srv/index"),
        (["--index", "/srv/a:b", "status"], "write whoosh:/srv/a:b"),
        (["--index", "whoosh:", "status"], "write whoosh:FOLDER"),
        (["search", "-ferry"], "Write -- before a query with a minus: "),
        (["search", "harbour", "-ferry"], "No such option '-f'."),
        (["serch", "x"], "No such command"),
        (["search", "--from", "yesterday"], "2025-08-06"),
        (["search", "--from", "2025-02-30"], "2025-08-06"),
        (["search", "--from", "2025", "--to", "2024"], "lies after"),
        (["search", "--page", "0"], "--page"),
        (["search", "--per-page", "101"], "--per-page"),
    ],
)
def test_a_failure_is_said_and_is_2(broadsheet, args, said):
    result = broadsheet(*args)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_damage_is_said_in_one_line(filled, index):
    (table,) = (index / "generations").glob("*/*.toc")
    table.write_bytes(b"")
    result = filled("search", "huts")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith("broadsheet: ")


def test_search_prints_what_was_found(filled):
    lines = filled("search", "alps").stdout.splitlines()
    assert lines[0].startswith("2 articles (")
    assert "1. Huts in the [Alps]" in lines
    assert any("Travel · 2025-08-06 · https://news.example/alps · score " in line for line in lines)
    assert any("huts of the [Alps]" in line for line in lines)
    assert "section: Travel 1, World 1" in lines


@pytest.mark.parametrize(
    ("timezone", "day"), [("UTC", "2024-01-31"), ("Europe/Paris", "2024-02-01"), ("America/Lima", "2024-01-31")]
)
def test_days_are_those_of_the_timezone_and_json_has_moments(filled, timezone, day):
    args = ("search", "story", "--timezone", timezone)
    assert f"Travel · {day} · old" in filled(*args).stdout
    assert f"date: {day} 1" in filled(*args).stdout
    assert json.loads(filled(*args, "--json").stdout)["results"][0]["published"] == "2024-01-31T23:30:00Z"


@pytest.mark.parametrize("published", ["0001-01-01", "9999-12-31T23:59:59Z"])
def test_the_first_and_the_last_day_can_be_shown(broadsheet, articles, published):
    articles.write_text(json.dumps({"id": "x", "title": "Edge", "published": published}) + "\n")
    broadsheet("index", articles)
    for timezone in ("America/Lima", "Asia/Tokyo"):
        assert f"{published[:10]} · x" in broadsheet("search", "edge", "--timezone", timezone).stdout


def test_a_minus_is_explained_only_where_it_may_be_one(broadsheet):
    said = broadsheet("search", "--secton", "World").stderr
    assert "--section" in said
    assert "Write --" not in said


def test_ctrl_c_is_one_line_and_130(broadsheet, monkeypatch):
    def interrupted(_url):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "connect", interrupted)
    result = broadsheet("search", "alps")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "stopped\n")
    assert "130 ended by Ctrl-C" in " ".join(broadsheet("--help").stdout.split())


@pytest.mark.usefixtures("filled")
def test_more_clients_than_threads_fill_no_log(index):
    command = [*PROGRAM, "--index", f"whoosh:{index}", "serve", "--port", "0"]
    environment = {**os.environ, "BROADSHEET_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        address = next(word for word in process.stdout.readline().split() if word.startswith("http"))

        def ask(_):
            with urlopen(f"{address}/api/v1/search?q=alps") as response:
                return response.status

        with ThreadPoolExecutor(16) as clients:
            assert set(clients.map(ask, range(64))) == {200}
        process.send_signal(signal.SIGTERM)
        assert "queue" not in process.communicate(timeout=20)[1]


@pytest.mark.parametrize(
    ("args", "ids"),
    [
        (["alps"], ["alps", "vote"]),
        (["alps", "--section", "World"], ["vote"]),
        (["alps", "--section", "World", "--section", "Travel"], ["alps", "vote"]),
        (["--tag", "mountains"], ["alps"]),
        (["--author", "Ann Lee"], ["alps"]),
        (["--", "alps", "-voters"], ["alps"]),
        (['"huts in the alps"'], ["alps"]),
        ([], ["alps", "old", "vote"]),
        (["--sort", "oldest"], ["old", "alps", "vote"]),
        (["--from", "2025"], ["alps"]),
        (["--from", "2025-08-06", "--to", "2025-08-06"], ["alps"]),
        (["--to", "2024"], ["old"]),
        (["--to", "2024-01"], ["old"]),
        (["--from", "2024-02", "--timezone", "Europe/Paris"], ["alps", "old"]),
        (["--to", "2025-08-06T12:00:00Z", "--from", "2025"], ["alps"]),
        (["--per-page", "1", "--page", "2"], ["old"]),
        (["--page", "9"], []),
    ],
)
def test_search_narrows_sorts_and_pages(filled, args, ids):
    result = filled("search", "--json", *args)
    assert result.exit_code == 0
    assert [item["id"] for item in json.loads(result.stdout)["results"]] == ids


def test_search_says_what_it_did_not_use(filled):
    assert "Not used: " in filled("search", "huts", "(").stdout or filled("search", "...").stdout
    assert "these have 1 or more of them" in filled("search", "zeppelin", "huts").stdout


def test_search_as_json(filled):
    found = json.loads(filled("search", "vote", "--json").stdout)
    assert (found["total"], found["query"]["q"]) == (1, "vote")
    assert found["results"][0]["highlight"]["title"] == "A <mark>vote</mark> &lt;today&gt;"
    assert found["facets"]["section"]["values"] == [{"value": "World", "count": 1, "selected": False}]


def test_escape_sequences_do_not_reach_the_terminal(broadsheet, articles):
    articles.write_text(json.dumps({"id": "x", "title": "Red \x1b[31m alert \x9b2J", "section": "\x1b]0;x"}) + "\n")
    broadsheet("index", articles)
    for args in (["search", "alert"], ["status"]):
        assert not set("\x1b\x9b") & set(broadsheet(*args).stdout)


def test_status(filled):
    text = filled("status").stdout
    assert "3 searchable, 0 of them hidden" in text
    assert "Travel 2, World 1" in text
    data = json.loads(filled("status", "--json").stdout)
    assert (data["articles"], data["pending"], data["newest"]) == (3, 0, "2025-08-06T12:00:00+00:00")


def test_takedown_and_its_undoing(filled):
    def found():
        return filled("search", "vote").stdout.split()[0]

    assert found() == "1"
    assert filled("takedown", "vote", "--reason", "court order").exit_code == 0
    assert found() == "0"
    assert "vote  court order" in filled("takedowns").stdout
    assert json.loads(filled("takedowns", "--json").stdout)[0]["reason"] == "court order"
    assert filled("takedowns", "--undo", "vote").stdout == "Put back: vote.\n"
    assert found() == "1"
    assert filled("takedowns").stdout == "Nothing is taken down.\n"
    again = filled("takedowns", "--undo", "vote")
    assert again.exit_code == 2
    assert "'vote' is not taken down" in again.stderr
    log = filled("takedowns", "--log").stdout.splitlines()
    assert [line.split("  ")[2:] for line in log] == [["taken down", "vote", "court order"], ["put back", "vote"]]
    (taken, _) = json.loads(filled("takedowns", "--log", "--json").stdout)
    assert (taken["what"], taken["target"], taken["ids"], taken["reason"]) == (
        "taken down",
        "vote",
        ["vote"],
        "court order",
    )
    assert "@" in taken["who"]


def test_a_takedown_does_not_wait_for_what_it_does_not_need(filled, index):
    """A quarter of the time of the command went into loading NLTK."""
    code = "import sys; from search.cli import main; main(standalone_mode=False); print('nltk' in sys.modules)"
    command = [sys.executable, "-c", code, "--index", f"whoosh:{index}", "takedown", "vote", "--reason", "r"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    assert filled("takedowns").stdout.count("vote") == 1


def test_takedowns_before_there_are_any(filled):
    assert filled("takedowns").stdout == "Nothing is taken down.\n"
    assert filled("takedowns", "--log").stdout == "Nothing was ever taken down.\n"
    assert filled("takedowns", "--undo", "vote", "--log").exit_code == 2


def test_a_page_is_taken_down_and_told_with_its_articles(broadsheet, tmp_path):
    file = tmp_path / "oaks.jsonl"
    rows = [{"id": id, "url": "https://paper.example/oak", "title": "Oak", "body": "leaf"} for id in ("one", "two")]
    file.write_text("\n".join(map(json.dumps, rows)))
    broadsheet("index", file)
    done = broadsheet("takedown", "http://www.paper.example/oak/", "--reason", "court \x1b[31m order")
    assert done.stdout.startswith(
        "Taken down: paper.example/oak (one, two). `broadsheet takedowns --undo paper.example/oak`"
    )
    assert done.stderr == ""
    assert "paper.example/oak (one, two)  court" in broadsheet("takedowns").stdout
    assert "\x1b" not in broadsheet("takedowns").stdout + broadsheet("takedowns", "--log").stdout
    broadsheet("takedown", "one", "--reason", "again")
    undone = broadsheet("takedowns", "--undo", "https://paper.example/oak")
    assert undone.stderr == "note: still hidden by the takedown of one\n"
    assert broadsheet("search", "leaf").stdout.startswith("1 article ")


def test_a_takedown_means_the_article_by_whatever_name_it_has(broadsheet, tmp_path):
    file = tmp_path / "named.jsonl"
    rows = [
        {"id": "naïve & free", "title": "Elm", "body": "leaf"},
        {"url": "https://paper.example/oak?utm_source=x", "title": "Oak", "body": "leaf"},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    broadsheet("index", file)
    for name in ("naïve & free", "https://PAPER.example/oak"):
        done = broadsheet("takedown", name, "--reason", "court order")
        assert done.exit_code == 0, done.stderr
        assert "note:" not in done.stderr
    assert broadsheet("search", "leaf").stdout.startswith("0 articles")
    assert broadsheet("takedowns", "--undo", "naïve & free").exit_code == 0
    assert broadsheet("search", "leaf").stdout.startswith("1 article ")


def test_a_takedown_that_hides_nothing_says_so(filled):
    later = filled("takedown", "later", "--reason", "court order")
    assert later.exit_code == 0
    assert later.stderr == "note: no article with the id later is held; it will be hidden when it comes\n"
    nowhere = filled("takedown", "https://paper.example/nowhere", "--reason", "court order")
    assert nowhere.exit_code == 0
    assert (
        nowhere.stderr
        == "note: no article at the page paper.example/nowhere is held; it will be hidden when it comes\n"
    )
    assert filled("takedown", "vote", "--reason", " ").exit_code == 2


def test_reindex_switches(filled, articles):
    before = json.loads(filled("status", "--json").stdout)["generation"]
    articles.write_text(json.dumps(ARTICLES[0]) + "\n")
    result = filled("reindex", articles)
    assert result.exit_code == 2
    assert "had 3 articles and has 1 now, without " in result.stderr
    assert "--force" in result.stderr
    assert json.loads(filled("status", "--json").stdout)["generation"] == before
    result = filled("reindex", articles, "--force")
    assert result.exit_code == 0
    assert result.stdout.startswith("0 added, 0 changed, 1 unchanged, 2 removed, 0 refused\nSwitched to generation ")
    again = filled("reindex")
    assert (again.exit_code, again.stdout.count("\n")) == (0, 1)
    status = json.loads(filled("status", "--json").stdout)
    assert status["generation"] == again.stdout.split()[-1].rstrip(".") != before
    assert status["articles"] == 1


def test_a_lock_says_whose_it_is_and_what_was_accepted_is_kept(filled, articles, index, monkeypatch):
    monkeypatch.setattr(embedded, "WAIT", 0.1)
    articles.write_text(json.dumps({"id": "new", "title": "New"}) + "\n")
    with lock.hold(index / "writer.lock", "reindex of the archive"):
        result = filled("index", articles)
    assert result.exit_code == 2
    assert f"process {os.getpid()}" in result.stderr
    assert "reindex of the archive" in result.stderr
    assert "what was accepted is kept" in result.stderr
    assert filled("index", articles).stdout.startswith("0 added, 0 changed, 1 unchanged")
    assert filled("search", "new").stdout.startswith("1 article ")


def test_lines_of_progress_where_there_is_no_terminal(broadsheet, articles, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.setattr(runs, "TELL", 1)
    result = broadsheet("index", articles)
    assert "reading: 3" in result.stderr
    assert "articles/s" in result.stderr
    assert "reading" not in broadsheet("index", articles, "--quiet").stderr


PROGRAM = [sys.executable, "-W", "error", "-c", "from search.cli import main; main()"]


def test_a_bar_on_a_terminal(articles, index):
    lines = "".join(json.dumps({"id": str(n), "title": "T", "body": "word " * 50}) + "\n" for n in range(300))
    articles.write_text(lines)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with subprocess.Popen(
        [*PROGRAM, "--index", f"whoosh:{index}", "index", articles], stderr=theirs, stdout=theirs
    ) as it:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # how Linux says that the other side has closed
            pass
    os.close(ours)
    assert it.returncode == 0
    assert b"reading" in shown
    assert b"articles/s" in shown
    assert b"300 added" in shown


def test_ctrl_c_keeps_what_was_accepted(broadsheet, index):
    command = [*PROGRAM, "--index", f"whoosh:{index}", "index", "-"]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        for n in range(reading.BATCH + 300):  # a buffer or two more than the batch that is waited for
            process.stdin.write(json.dumps({"id": str(n), "title": "Title", "body": "word " * 100}) + "\n")
        process.stdin.flush()
        wait_for(lambda: (index / "articles.db").exists())
        store = Store(index)
        wait_for(lambda: store.last() == reading.BATCH)
        store.close()
        wait_for(
            lambda: Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "S"
        )  # it has counted, and reads on
        process.send_signal(signal.SIGINT)
        stderr = process.communicate()[1]
    assert process.returncode == 130
    assert f"{reading.BATCH:,} added" in stderr
    assert "what was accepted is kept" in stderr
    assert "Traceback" not in stderr
    broadsheet("index", "-", stdin=json.dumps({"id": "0", "title": "Title"}) + "\n")
    assert json.loads(broadsheet("status", "--json").stdout)["articles"] == reading.BATCH


def wait_for(condition):
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
