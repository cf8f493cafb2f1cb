"""The service as a process: its settings, its address, its end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest

from search.engines import Engine
from web.settings import PREFIX, Settings, SettingsError, read

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"
COMMAND = Path(sys.executable).parent / "broadsheet"


def start(index: str, *options: str, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, "--index", index, "serve", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), "PYTHONUNBUFFERED": "1", **environ},
    )


def end(process: subprocess.Popen[str], how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
    """The exit code, and what was written to standard error."""
    process.send_signal(how)
    _, errors = process.communicate(timeout=20)
    return process.returncode, errors


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    return next(word for word in line.split() if word.startswith("http"))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_answers_and_ends_when_told(newsroom: Engine, how: signal.Signals) -> None:
    process = start(newsroom.url, "--port", "0", BROADSHEET_TITLE="The Courier")
    try:
        with urlopen(f"{address(process)}/search?q=glacier") as response:
            assert b"The Courier" in response.read()
            assert "Server" not in response.headers
            url = response.url
        with pytest.raises(HTTPError) as failure, urlopen(url + "&tag=x" * 10_000):
            pass
        failure.value.close()
        assert failure.value.code == 431
    finally:
        code, errors = end(process, how)
    assert (code, errors) == (0, "")


def test_it_lives_without_an_index_and_answers_once_there_is_one(tmp_path: Path) -> None:
    index = f"whoosh:{tmp_path / 'index'}"
    process = start(index, "--port", "0")
    try:
        url = address(process)
        with pytest.raises(HTTPError) as failure, urlopen(f"{url}/readyz"):
            pass
        failure.value.close()
        assert failure.value.code == 503
        article = tmp_path / "one.jsonl"
        article.write_text('{"id": "one", "title": "One", "body": "Only one."}\n', encoding="utf-8")
        subprocess.run([COMMAND, "--index", index, "index", article], check=True, capture_output=True)
        with urlopen(f"{url}/api/v1/search?q=one") as response:
            assert b'"total":1' in response.read().replace(b'": ', b'":')
    finally:
        code, errors = end(process)
    assert code == 0
    assert "ERROR" in errors  # the log has the cause, which the answer keeps to itself
    assert str(tmp_path) in errors


def test_a_port_in_use_is_said(newsroom: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(newsroom.url, "--port", str(port))
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors == (
        f"broadsheet: 127.0.0.1:{port} is in use by another program: end it, or choose another port with --port\n"
    )


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"BROADSHEET_PORT": "eighty"}, "BROADSHEET_PORT='eighty': write a whole number from 0 to 65535"),
        ({"BROADSHEET_TIMEZONE": "Mars/Base"}, "BROADSHEET_TIMEZONE='Mars/Base': write a name of the IANA database"),
    ],
)
def test_a_wrong_setting_is_said(newsroom: Engine, environ: dict[str, str], said: str) -> None:
    process = start(newsroom.url, **environ)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors.startswith(f"broadsheet: {said}")


def test_an_index_address_of_no_engine_is_said() -> None:
    process = start("lucene:var/index")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "no engine is called 'lucene'" in errors


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("INDEX", "whoosh:/srv/index", "whoosh:/srv/index"),
        ("TITLE", " The Courier ", "The Courier"),
        ("TITLE", "  ", "Broadsheet"),
        ("HOME", "https://news.example/", "https://news.example"),
        ("URL", "http://search.example", "http://search.example"),
        ("TIMEZONE", "Europe/Zurich", ZoneInfo("Europe/Zurich")),
        ("HOST", "0.0.0.0", "0.0.0.0"),
        ("PORT", "0", 0),
        ("THREADS", "16", 16),
    ],
)
def test_settings_are_read_from_the_environment(name: str, text: str, value: object) -> None:
    assert getattr(read({PREFIX + name: text, "PORT": "1"}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HOME", "javascript:alert(1)"),
        ("URL", "search.example"),
        ("TIMEZONE", "../../etc/passwd"),
        ("TIMEZONE", "Europe"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "٨٠"),
        ("THREADS", "0"),
        ("THREADS", "many"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_variable(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"^{PREFIX}{name}=.*: write "):
        read({PREFIX + name: text})


def test_every_setting_is_documented() -> None:
    docs = DOCS.read_text(encoding="utf-8")
    for field in fields(Settings):
        assert f"| `{PREFIX}{field.name.upper()}` |" in docs
