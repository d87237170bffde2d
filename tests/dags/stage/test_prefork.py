"""A stage as a fork of the prefork server is the process that `python -m tasks` would be."""

import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from waiting import LIMIT_SECONDS, wait_until

from contract.runtime.code_digest import LOCK, ROOMS
from contract.runtime.prefork.fork_client import Fork, NotForked, fork
from contract.runtime.prefork.server import EXIT_MISMATCH
from dags.stage.local import Child
from dags.stage.prefork import fork_stage
from dags.stage.request import environment

LIBRARIES = """\
import duckdb, lightgbm, numpy, pandas, pyarrow.compute, pyarrow.parquet, scipy.linalg
import sklearn.ensemble
"""
# Each uses several threads, and some ended theirs at the fork.
COMPUTE = """\
import duckdb, lightgbm, numpy as np, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq
import io
from sklearn.ensemble import RandomForestClassifier
rows = np.random.default_rng(7).normal(size=(5_000, 10))
target = (rows[:, 0] + rows[:, 1] ** 2 > 1).astype(int)
print(f"{np.linalg.norm(rows @ (rows.T @ rows)):.6e}")
settings = {"num_threads": 2, "verbose": -1, "deterministic": True, "objective": "binary"}
booster = lightgbm.train(settings, lightgbm.Dataset(rows, target), 5)
print(f"{booster.predict(rows).sum():.6e}")
forest = RandomForestClassifier(20, n_jobs=2, random_state=7).fit(rows, target)
print(f"{forest.predict_proba(rows)[:, 1].sum():.6e}")
made = pa.table({f"c{name}": rows[:, name] for name in range(10)})
file = io.BytesIO()
pq.write_table(made, file)
print(f"{pc.sum(pq.read_table(io.BytesIO(file.getvalue()), use_threads=True)['c3']).as_py():.6e}")
found = duckdb.connect(config={"threads": 2}).sql("select sum(c4) from made").fetchall()
print(f"{found[0][0]:.6e}")
"""
ROOT = Path(__file__).parents[3]
# One task that does what it is told in `STAGE_ACT`, in place of the twelve.
TASKS = {
    "tasks/__init__.py": "",
    "tasks/problem/__init__.py": "",
    "tasks/problem/task.py": """\
import os
class Acts:
    def main(self, words):
        exec(os.environ["STAGE_ACT"], {"words": words})
        return 0
task = Acts()
""",
}


class Warm:
    """A prefork server of a test's own, over a copy of the lower rooms and a task that acts."""

    def __init__(
        self, folder: Path, idle_seconds: float = LIMIT_SECONDS, imports: str = ""
    ) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        for room in ROOMS:
            shutil.copytree(ROOT / room, self.project / room)
        (self.project / LOCK).parent.mkdir()
        (self.project / LOCK).touch()
        for name, text in TASKS.items():
            (self.project / name).parent.mkdir(exist_ok=True, parents=True)
            (self.project / name).write_text(f"{imports}\n{text}" if "task.py" in name else text)
        for name in ("__main__.py", "prefork.py"):
            shutil.copy(ROOT / "tasks" / name, self.project / "tasks" / name)
        self.path = str(folder / "warm.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(self.path)
        self.listener.listen()
        self.environment = {
            name: value
            for name, value in environment(
                "split", (), {"PATH": os.environ["PATH"], "PERENNIAL_PATH": str(self.project)}
            ).items()
            if name != "TMPDIR"
        }
        code = "import sys; from tasks.prefork import main; sys.exit(main(float(sys.argv[1])))"
        self.log = folder / "warm.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, str(idle_seconds)],
                env=self.environment,
                cwd=self.project,
                stdin=self.listener,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def fork(self, act: str, *words: str, **more: str) -> Fork:
        asked = self.environment | {"STAGE_ACT": act} | more
        arguments, folder = ["problem", *words], str(self.project)
        return fork(self.path, arguments, asked, folder, greeting_seconds=LIMIT_SECONDS)

    def run(self, act: str, *words: str, **more: str) -> tuple[list[str], int]:
        child = Child(self.fork(act, *words, **more))
        lines = list(said(child)), child.wait()
        child.close()
        return lines

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.listener.close()


def said(child: Child) -> Iterator[str]:
    """What a stage says behind its first line, which every stage has."""
    lines = child.lines()
    assert '"task begins"' in next(lines)
    return lines


Make = Callable[..., Warm]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    made = Warm(tmp_path_factory.mktemp("warm"))
    yield made
    made.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make one for a test that ends it, or imports more."""
    made: list[Warm] = []

    def build(idle_seconds: float = LIMIT_SECONDS, imports: str = "") -> Warm:
        made.append(Warm(tmp_path, idle_seconds, imports))
        return made[-1]

    yield build
    for one in made:
        one.close()


def _is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_lines_come_in_order_and_then_the_exit_code(warm: Warm) -> None:
    act = "import sys; print('one'); sys.stderr.write('two\\n'); sys.exit(3)"

    assert warm.run(act) == (["one", "two"], 3)


def test_an_uncaught_error_is_exit_1_with_its_traceback(warm: Warm) -> None:
    lines, code = warm.run("1 / 0")

    assert (lines[-1], code) == ("ZeroDivisionError: division by zero", 1)


def test_exit_functions_and_threads_of_the_stage_are_waited_for(warm: Warm) -> None:
    act = (
        "import atexit, threading, time\n"
        "atexit.register(print, 'at exit')\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()"
    )

    assert warm.run(act) == (["thread", "at exit"], 0)


def test_the_stage_sees_its_own_environment_and_nothing_else(warm: Warm) -> None:
    act = "import json, os; print(json.dumps(dict(os.environ)))"
    warm.run(act, LEFT_BY_ANOTHER="1")

    lines, _ = warm.run(act, OWN="2")

    seen = json.loads(lines[0])
    # Set by Python itself where there is no locale, and by scikit-learn when it is imported.
    set_inside = {"LC_CTYPE", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"}
    assert {name: seen[name] for name in seen.keys() - set_inside} == warm.environment | {
        "STAGE_ACT": act,
        "OWN": "2",
    }


def test_a_child_of_the_stage_inherits_that_environment(warm: Warm) -> None:
    lines, _ = warm.run("import subprocess; subprocess.run('echo $OWN', shell=True)", OWN="2")

    assert lines == ["2"]


def test_what_imports_remembered_of_a_scratch_folder_is_forgotten(
    warm: Warm, tmp_path: Path
) -> None:
    lines, _ = warm.run("import tempfile; print(tempfile.gettempdir())", TMPDIR=str(tmp_path))

    assert lines == [str(tmp_path)]


def test_the_stage_leads_a_session_and_holds_no_descriptor_but_its_streams(warm: Warm) -> None:
    act = (
        "import os\n"
        "print(os.getsid(0) == os.getpgrp() == os.getpid(), os.getcwd())\n"
        "print(sorted(int(name) for name in os.listdir('/proc/self/fd'))[:-1])\n"
        "print(os.readlink('/proc/self/fd/0'))"
    )
    other = Child(warm.fork("import time; time.sleep(600)"))

    lines, _ = warm.run(act)

    assert lines == [f"True {warm.project}", "[0, 1, 2]", "/dev/null"]
    other.close()


def test_the_words_are_those_behind_the_command(warm: Warm) -> None:
    lines, _ = warm.run("import sys; print(words, sys.argv[1:])", "--out", "s3://store/p")

    assert lines == ["['--out', 's3://store/p'] ['problem', '--out', 's3://store/p']"]


def test_a_stages_cpu_time_begins_with_nothing(warm: Warm) -> None:
    of_server = psutil.Process(warm.process.pid).cpu_times()

    lines, _ = warm.run("import os; print(sum(os.times()[:4]))")

    assert float(lines[0]) < of_server.user + of_server.system


def test_two_stages_are_at_work_at_once(warm: Warm) -> None:
    first = Child(warm.fork("import time; print('up', flush=True); time.sleep(600)"))
    assert next(said(first)) == "up"

    assert warm.run("print('second')") == (["second"], 0)
    first.close()


def test_ending_a_stage_ends_its_group(warm: Warm) -> None:
    act = (
        "import subprocess, sys, time\n"
        "print(subprocess.Popen(['sleep', '600']).pid, flush=True)\n"
        "time.sleep(600)"
    )
    child = Child(warm.fork(act))
    grandchild = int(next(said(child)))

    child.end()

    assert child.wait() == -signal.SIGTERM
    wait_until(lambda: _is_gone(grandchild), "the grandchild is gone")
    child.close()


@pytest.mark.slow
def test_libraries_with_threads_of_their_own_work_in_a_fork(make: Make) -> None:
    alone = subprocess.run(
        [sys.executable, "-c", COMPUTE], capture_output=True, text=True, check=True
    )
    warm = make(imports=LIBRARIES)

    first, second = warm.run(COMPUTE), warm.run(COMPUTE)

    assert first == second == (alone.stdout.splitlines(), 0)


@pytest.mark.slow
def test_importing_starts_no_thread_and_opens_nothing_that_a_fork_would_share(make: Make) -> None:
    warm = make(imports=LIBRARIES)
    opened = "import os; print(sorted(int(name) for name in os.listdir('/proc/self/fd'))[:-1])"

    lines, _ = warm.run(f"import threading; print(threading.enumerate()); {opened}")

    assert lines == [lines[0], "[0, 1, 2]"]
    assert lines[0].startswith("[<_MainThread(MainThread, started ")
    opened_there = Path(f"/proc/{warm.process.pid}/fd")
    # The socket twice: as it came, and as it is served.
    wait_until(
        lambda: {entry.name for entry in opened_there.iterdir()} == {"0", "1", "2", "3"},
        "the server has nothing open but its streams and its socket",
    )


@pytest.mark.slow
def test_a_stage_does_not_outlive_who_asked_for_it(warm: Warm) -> None:
    """The asker is killed with -9: its end of the socket is closed by the kernel."""
    asks = (
        "import json, sys, time\n"
        "from contract.runtime.prefork.fork_client import fork\n"
        "path, folder, environment = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])\n"
        "child = fork(path, ['problem'], environment, folder, greeting_seconds=300)\n"
        "child.stdout.readline()\n"
        "print(child.pid, child.stdout.readline(), flush=True)\n"
        "time.sleep(600)"
    )
    act = (
        "import os, subprocess, time\n"
        "print(subprocess.Popen(['sleep', '600']).pid, flush=True)\n"
        "time.sleep(600)"
    )
    asked = json.dumps(warm.environment | {"STAGE_ACT": act})
    asker = subprocess.Popen(
        [sys.executable, "-c", asks, warm.path, str(warm.project), asked],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert asker.stdout is not None
    pids = [int(word) for word in asker.stdout.readline().split()]

    asker.kill()
    asker.wait()

    wait_until(lambda: all(_is_gone(pid) for pid in pids), "the stage and its child are gone")
    assert warm.run("print('next')") == (["next"], 0)
    asker.stdout.close()


@pytest.mark.slow
def test_a_stage_does_not_outlive_the_interpreter_and_is_told_as_killed(make: Make) -> None:
    warm = make()
    child = Child(warm.fork("import time; print('up', flush=True); time.sleep(600)"))
    assert next(said(child)) == "up"

    warm.process.kill()

    assert child.wait() == -signal.SIGKILL
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(child._process.pid).wait(LIMIT_SECONDS)
    child.close()


@pytest.mark.slow
def test_code_that_was_edited_is_not_run_stale(make: Make) -> None:
    warm = make()
    assert warm.run("pass") == ([], 0)
    edited = warm.project / "methods" / "__init__.py"
    edited.write_text(edited.read_text() + "\n")

    with pytest.raises(NotForked, match="the code has changed since it was imported") as refused:
        warm.fork("pass")

    assert not refused.value.is_fault
    assert warm.process.wait(LIMIT_SECONDS) == 0


def test_another_environment_of_the_imports_is_refused(warm: Warm) -> None:
    with pytest.raises(
        NotForked, match="it was imported with another GX_ANALYTICS_ENABLED"
    ) as refused:
        warm.fork("pass", GX_ANALYTICS_ENABLED="true")

    assert refused.value.is_fault


@pytest.mark.slow
def test_a_server_that_refused_an_environment_ends_as_a_fault(make: Make) -> None:
    """So the platform's status shows it: the supervisor keeps how a component ended."""
    warm = make(idle_seconds=0.5)

    with pytest.raises(NotForked):
        warm.fork("pass", GX_ANALYTICS_ENABLED="true")

    assert warm.process.wait(LIMIT_SECONDS) == EXIT_MISMATCH
    assert '"level": "warning", "message": "refused"' in warm.log.read_text()


@pytest.mark.slow
def test_it_ends_when_nothing_was_asked_for_a_while(make: Make) -> None:
    warm = make(idle_seconds=0.1)

    assert warm.process.wait(LIMIT_SECONDS) == 0


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"GX_ANALYTICS_ENABLED": "true"}, (logging.WARNING, "it was imported with another")),
        ({"PERENNIAL_WARM": "/nosuch.sock"}, (logging.INFO, "no prefork server answers")),
    ],
)
def test_the_tasks_log_warns_of_a_refusal_that_every_stage_would_meet(
    warm: Warm,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    more: dict[str, str],
    expected: tuple[int, str],
) -> None:
    monkeypatch.setenv("PERENNIAL_WARM", more.get("PERENNIAL_WARM", warm.path))
    with caplog.at_level(logging.INFO):
        process = fork_stage(["problem"], warm.environment | more, logging.getLogger("task"))

    assert process is None
    assert [record.levelno for record in caplog.records] == [expected[0]]
    assert expected[1] in caplog.text


def test_a_stage_is_forked_where_the_platform_has_a_server(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_WARM", warm.path)
    variables = warm.environment | {"STAGE_ACT": "print('forked')"}

    process = fork_stage(["problem"], variables, logging.getLogger("task"))

    assert process is not None
    child = Child(process)
    assert (list(said(child)), child.wait()) == (["forked"], 0)
    child.close()


def test_where_nobody_listens_nothing_is_started(tmp_path: Path) -> None:
    with pytest.raises(NotForked, match="no prefork server answers at"):
        fork(str(tmp_path / "none.sock"), ["problem"], {}, str(tmp_path))


def test_who_is_turned_away_starts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "warm.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        closer = subprocess.Popen(
            [sys.executable, "-c", "import socket; socket.socket(fileno=0).accept()[0].close()"],
            stdin=listener,
        )

        with pytest.raises(NotForked, match="the prefork server ended before it answered"):
            fork(str(path), ["problem"], {}, str(tmp_path))
        closer.wait()
