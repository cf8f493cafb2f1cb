"""The lock: one writer at a time, named to the others, free when its process is gone."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest

from search.engines import IndexLocked, IndexMissing
from search.engines.whoosh.lock import hold, lasting

HOLDER = """
import sys, time
from pathlib import Path
from search.engines.whoosh.lock import hold, lasting
with hold(Path(sys.argv[1]), "index the archive"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "writer.lock"


@pytest.fixture
def holder(path):
    """Another process that holds the lock."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_is_free_again_afterwards(path):
    for _ in range(2):
        with hold(path, "index"):
            pass


def test_is_free_again_after_an_error(path):
    with pytest.raises(ZeroDivisionError), hold(path, "index"):
        raise ZeroDivisionError
    with hold(path, "index"):
        pass


def test_another_process_is_named(path, holder):
    with pytest.raises(IndexLocked) as problem, hold(path, "reindex"):
        pass
    assert re.search(rf"reindex .*process {holder.pid} on \S+ \(index the archive, for \d+ s\)", str(problem.value))


@pytest.mark.parametrize(
    ("age", "said"),
    [
        ({"seconds": 0}, "0 s"),
        ({"seconds": 59}, "59 s"),
        ({"seconds": 60}, "1 min"),
        ({"seconds": 125}, "2 min 5 s"),
        ({"hours": 1}, "1 h"),
        ({"hours": 23, "minutes": 59, "seconds": 59}, "23 h 59 min"),
        ({"days": 3, "hours": 2, "minutes": 9}, "3 d 2 h"),
        ({"seconds": -90}, "0 s"),  # the clock was set back
    ],
)
def test_an_age_is_in_units_that_people_read(age, said):
    assert lasting(timedelta(**age)) == said


def test_dies_with_its_process(path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with hold(path, "index"):
        pass


def test_what_a_dead_holder_left_does_no_harm(path):
    path.write_text("half a line of")
    with hold(path, "index"), pytest.raises(IndexLocked, match="process"), hold(path, "reindex"):
        pass


def test_an_unreadable_card_is_another_process(path):
    with hold(path, "index"):
        path.write_bytes(b"{")
        with pytest.raises(IndexLocked, match="another process"), hold(path, "reindex"):
            pass


def test_threads_of_one_process_exclude_each_other(path):
    inside, most = 0, 0

    def work():
        nonlocal inside, most
        for _ in range(3):
            with hold(path, "push", wait=10):
                inside += 1
                most = max(most, inside)
                time.sleep(0.005)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_waits_as_long_as_it_is_told(path):
    with hold(path, "index"):
        begun = time.monotonic()
        with pytest.raises(IndexLocked), hold(path, "push", wait=0.2):
            pass
        assert time.monotonic() - begun >= 0.2


FORKING = """
import os, sys, time
from pathlib import Path
from search.engines.whoosh.lock import hold, lasting
with hold(Path(sys.argv[1]), "index"):
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(60)
"""


def test_a_fork_does_not_keep_it(path):
    with subprocess.Popen([sys.executable, "-c", FORKING, path], stdout=subprocess.PIPE, text=True) as process:
        child = int(process.stdout.readline())
        process.kill()
        try:
            with hold(path, "index", wait=10):
                os.kill(child, 0)  # it is still there
        finally:
            os.kill(child, signal.SIGKILL)


def test_without_a_folder_there_is_no_index(tmp_path):
    with pytest.raises(IndexMissing), hold(tmp_path / "none" / "writer.lock", "index"):
        pass
