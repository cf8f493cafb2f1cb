"""A Chromium that is installed here, and the service as a process: for the browser test and the screenshot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

COMMAND = Path(sys.executable).parent / "broadsheet"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox: in a container the tests run as root. The rest keeps it from asking the world for anything.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def launch(playwright: Playwright) -> Browser:
    path = next(filter(None, map(shutil.which, NAMES)), None) or playwright.chromium.executable_path
    assert Path(path).exists(), "no Chromium is installed: `make test` brings one (Debian: apt-get install chromium)"
    return playwright.chromium.launch(executable_path=path, args=OPTIONS)


@contextmanager
def serving(index: str, **settings: str) -> Iterator[str]:
    """The address of `broadsheet serve` over this index, on any free port; `settings` are those of the environment."""
    command = [COMMAND, "--index", index, "serve", "--port", "0"]
    environment = os.environ | {f"BROADSHEET_{name.upper()}": value for name, value in settings.items()}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        try:
            line = process.stdout.readline()
            assert "http" in line, f"broadsheet serve did not start: {line!r}"
            yield next(word for word in line.split() if word.startswith("http"))
        finally:
            process.terminate()
            process.communicate(timeout=20)
