"""A child never outlives its task, whatever it or its own children do."""

import os
import sys
import threading
from pathlib import Path

import pytest

from dags.stage import local as child_process
from dags.stage.local import Child

HOLDS_THE_PIPE = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
sys.exit(3)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


def start(code: str, folder: Path, grace_seconds: float = 5.0) -> Child:
    process = child_process.start(
        [sys.executable, "-c", code], {"PATH": os.environ["PATH"]}, str(folder)
    )
    return Child(process, grace_seconds)


def test_lines_come_in_order_and_then_the_exit_code(tmp_path: Path) -> None:
    child = start("import sys; print('one'); print('two'); sys.exit(3)", tmp_path)

    assert (list(child.lines()), child.wait()) == (["one", "two"], 3)
    child.close()


def test_both_streams_are_one_log(tmp_path: Path) -> None:
    child = start("import sys; sys.stderr.write('to stderr')", tmp_path)

    assert list(child.lines()) == ["to stderr"]
    child.close()


def test_the_child_stands_in_the_given_folder_and_environment(tmp_path: Path) -> None:
    child = start("import os; print(os.getcwd(), sorted(set(os.environ) - {'LC_CTYPE'}))", tmp_path)

    assert list(child.lines()) == [f"{tmp_path} ['PATH']"]
    child.close()


def test_bytes_that_are_no_text_do_not_end_the_log(tmp_path: Path) -> None:
    child = start("import sys; sys.stdout.buffer.write(b'\\xff\\n')", tmp_path)

    assert list(child.lines()) == ["\ufffd"]
    child.close()


@pytest.mark.slow
def test_a_descendant_that_holds_the_pipe_does_not_hold_the_task(tmp_path: Path) -> None:
    child = start(HOLDS_THE_PIPE, tmp_path)
    pid = int(next(child.lines()))

    assert list(child.lines()) == []
    assert child.wait() == 3
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    child.close()


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    child = start(STUBBORN, tmp_path, grace_seconds=0.2)
    assert next(child.lines()) == "ready"

    ending = threading.Thread(target=child.end)
    ending.start()

    assert (list(child.lines()), child.wait()) == ([], -9)
    ending.join()
    child.close()


def test_ending_what_has_ended_is_no_error(tmp_path: Path) -> None:
    child = start("pass", tmp_path)
    assert child.wait() == 0

    child.end()
    child.end()
    child.close()
