"""What is wrong is told in one sentence with the right exit code, and leaves nothing behind.

Through the real command lines: `perennial …` for the problem file, `python -m tasks …` for data.
"""

import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.chain import MADE_BY, ROOT, TAKES
from contract.manifest import Result
from contract.store.client import Store
from dags.stage.request import arguments, environment, out_uri

pytestmark = pytest.mark.slow

ROWS = 300
PROBLEM = """\
apiVersion: perennial/v1
kind: Problem
name: {name}
question: Will it fail?
target: {{ column: y }}
source:
  rows: {{ kind: files, path: "${{LANDING}}/rows*", key: [id] }}
"""
WINDOW_END = "2026-06-01T00:00:00+00:00"


def rows(count: int = ROWS, **changes: str) -> str:
    """Return a table as CSV; `changes` gives columns one value in every row."""
    lines = ["id,x,y"]
    for number in range(count):
        row = {"id": str(number), "x": str(number % 17), "y": "yes" if number % 3 else "no"}
        lines.append(",".join((row | changes)[name] for name in ("id", "x", "y")))
    return "\n".join(lines) + "\n"


def lands(text: str, name: str = "rows.csv") -> Callable[[Path], None]:
    """Return what writes one file into the landing folder."""
    return lambda landing: (landing / name).write_text(text) and None


def lands_rows(landing: Path) -> None:
    lands(rows())(landing)


def lands_nothing(landing: Path) -> None:
    pass


def lands_broken_gzip(landing: Path) -> None:
    (landing / "rows.csv.gz").write_bytes(gzip.compress(rows().encode())[:200])


def lands_a_folder(landing: Path) -> None:
    (landing / "rows.csv").mkdir()


@dataclass(frozen=True)
class Case:
    """One thing that is wrong with the data, the stage that says so, and how."""

    stage: str
    exit_code: int
    told: tuple[str, ...]
    """Words of what was found, what was expected and what to do."""
    land: Callable[[Path], None] = lands_rows
    declared: Mapping[str, str] = field(default_factory=dict)
    """Parts of the problem file that are replaced."""
    asked: Mapping[str, object] = field(default_factory=dict)
    """Parameters of the run."""
    variables: Mapping[str, str] = field(default_factory=dict)


DATABASE = 'rows: { kind: postgres, query: "select 1 as id", connection: DSN, key: [id] }'
FILES = 'rows: { kind: files, path: "${LANDING}/rows*", key: [id] }'
CASES = {
    "unknown key": Case(
        "problem",
        2,
        ("problem.yaml:4:11", "unknown key", "sead", "did you mean 'seed'?"),
        declared={"question: Will": "models: { sead: 7 }\nquestion: Will"},
    ),
    "wrong type": Case(
        "problem",
        2,
        ("problem.yaml:4:11", "found 'many'", "integer"),
        declared={"question: Will": "models: { seed: many }\nquestion: Will"},
    ),
    "missing column": Case(
        "collection",
        2,
        ("has no column 'number'", "it has 'id', 'x', 'y'", "Correct the name."),
        declared={"key: [id]": "key: [number]"},
    ),
    "target absent": Case(
        "preprocessing",
        2,
        ("'failed'", "'id', 'x', 'y'", "orrect"),
        declared={"column: y": "column: failed"},
    ),
    "no file at all": Case(
        "collection",
        3,
        ("No file matches", "at least one is expected", "Check the path"),
        land=lands_nothing,
    ),
    "empty file": Case("collection", 3, ("'rows'", "no row", "wait for data"), land=lands("")),
    "header alone": Case(
        "collection", 3, ("'rows'", "no row", "wait for data"), land=lands("id,x,y\n")
    ),
    "single-class target": Case(
        "preprocessing",
        3,
        ("one value, 'yes'", "at least two are needed", "Choose another target"),
        land=lands(rows(y="yes")),
    ),
    "a key that repeats, over the budget": Case(
        "validation",
        3,
        ("stands twice", "300", "budget"),
        land=lands(rows(id="7")),
    ),
    "broken gzip": Case(
        "collection",
        3,
        ("rows.csv.gz", "readable file", "Repair or remove it."),
        land=lands_broken_gzip,
    ),
    "a folder in a file's place": Case(
        "collection",
        3,
        ("No file matches", "at least one is expected", "Check the path"),
        land=lands_a_folder,
    ),
    "no table at all": Case(
        "collection", 2, ("'rows.pdf'", "no known kind", ".csv"), land=lands("%PDF", "rows.pdf")
    ),
    "unreachable database": Case(
        "collection",
        75,
        ("DSN", "does not answer", "tried again"),
        declared={FILES: DATABASE},
        variables={"DSN": "postgresql://somebody:secret@127.0.0.1:1/database"},
    ),
    "unset variable": Case(
        "collection",
        2,
        ("DSN", "not set in the environment", "expects the connection string"),
        declared={FILES: DATABASE},
    ),
    "window without rows": Case(
        "validation",
        3,
        ("No row of the source 'rows'", "2026-05-01", "choose another window"),
        land=lands(rows().replace("\n", ",2026-01-01\n").replace("y,2026-01-01", "y,at", 1)),
        declared={"key: [id]": "key: [id], event_time: at"},
        asked={"window_start": "2026-05-01T00:00:00+00:00"},
    ),
    "nothing known yet": Case(
        "collection",
        3,
        ("no row that was known by 2026-06-01", "later `window_end`", "wait for data"),
        land=lands(rows().replace("\n", ",2026-07-01\n").replace("y,2026-07-01", "y,at", 1)),
        declared={"key: [id]": "key: [id], known_at: at"},
    ),
    "window the wrong way round": Case(
        "problem",
        2,
        ("ends at 2026-06-01", "must be later", "Correct the window."),
        asked={"window_start": "2026-07-01T00:00:00+00:00"},
    ),
    "unreachable store": Case(
        "collection",
        75,
        ("The store did not answer", "is it up?"),
        variables={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
    ),
}


@dataclass(frozen=True)
class Ending:
    """How a process ended."""

    code: int
    said: str
    why: str | None


@dataclass
class Desk:
    """One problem and its stages as processes."""

    store: Store
    folder: Path
    name: str
    variables: dict[str, str] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)

    def write(self, declared: Mapping[str, str]) -> Path:
        """Write the problem file."""
        text = PROBLEM.format(name=self.name)
        for old, new in declared.items():
            assert old in text
            text = text.replace(old, new)
        file = self.folder / "problems" / self.name / "problem.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        return file

    def run(self, stage: str, asked: Mapping[str, object], before: Sequence[str] = ()) -> Ending:
        """Run a stage; `before`: the words of a program that runs it."""
        scratch, told = self.folder / "scratch", self.folder / "told.json"
        scratch.mkdir(exist_ok=True)
        told.unlink(missing_ok=True)
        given = os.environ | {
            "LANDING": str(self.folder / "landing"),
            "PERENNIAL_PROBLEMS": str(self.folder / "problems"),
            "TMPDIR": str(scratch),
            **self.variables,
        }
        takes = {name: self.results[MADE_BY[name]] for name in TAKES[stage]}
        out = out_uri(self.store.bucket, self.name, "r1", stage)
        params = {
            "name": self.name,
            "run_id": "r1",
            "window_start": None,
            "window_end": WINDOW_END,
            "reason": "manual",
            "force": False,
            **asked,
        }
        words = arguments(stage, takes, params if stage == "problem" else {}, out)
        seen = environment(stage, ["LANDING", "DSN"], given) | {"STAGE_RESULT": str(told)}
        done = subprocess.run(
            [*before, sys.executable, "-m", "tasks", *words],
            env=seen,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        result = json.loads(told.read_text()) if told.exists() else {}
        if done.returncode == 0:
            self.results[stage] = Result.model_validate(result)
        return Ending(done.returncode, done.stdout + done.stderr, result.get("why"))

    def run_until(self, stage: str, asked: Mapping[str, object]) -> None:
        """Run what comes before a stage; all of it ends well."""
        for name in ("problem", "collection", "validation", "preprocessing"):
            if name == stage:
                return
            ending = self.run(name, asked)
            assert ending.code == 0, ending.said

    def keys(self) -> set[str]:
        """Return all that stands in the store of this problem."""
        return set(self.store.keys(f"{self.name}/"))

    def left(self) -> list[str]:
        """Return what lies in the scratch folder."""
        return sorted(path.name for path in (self.folder / "scratch").iterdir())


@pytest.fixture
def desk(store: Store, tmp_path: Path, problem_name: str) -> Desk:
    (tmp_path / "landing").mkdir()
    return Desk(store, tmp_path, problem_name)


def is_one_sentence(text: str | None) -> bool:
    """Tell whether it is one line that a person reads to its end: no dump, no stack."""
    return bool(text) and "\n" not in str(text) and 30 < len(str(text)) < 700


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_stage_says_in_one_sentence_what_is_wrong(desk: Desk, case: Case) -> None:
    desk.write(case.declared)
    case.land(desk.folder / "landing")
    desk.run_until(case.stage, case.asked)
    before = desk.keys()
    desk.variables = dict(case.variables)

    ending = desk.run(case.stage, case.asked)

    assert case.exit_code == ending.code, ending.said
    assert is_one_sentence(ending.why), ending.why
    for words in case.told:
        assert words in str(ending.why)
    assert "Traceback" not in ending.said
    assert "secret" not in ending.said
    assert json.loads(ending.said.splitlines()[-1])["why"] == ending.why
    assert sorted(desk.keys() - before) == []
    assert desk.left() == []


def test_a_few_keys_that_repeat_are_set_aside(desk: Desk) -> None:
    desk.write({})
    lands(rows() + "0,5,yes\n")(desk.folder / "landing")
    desk.run_until("validation", {})

    ending = desk.run("validation", {})

    assert 0 == ending.code, ending.said
    facts = desk.results["validation"].facts
    assert {"rows": ROWS + 1, "quarantined": 1} == facts


@pytest.mark.parametrize("stage", ["collection", "validation", "preprocessing"])
def test_a_full_disk_is_tried_again(desk: Desk, stage: str) -> None:
    unshare = ["unshare", "-rm"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("a small disk needs a mount, and this machine allows no user namespace")
    desk.write({})
    lands(rows(20_000))(desk.folder / "landing")
    desk.run_until(stage, {})
    before = desk.keys()
    script = 'mount -t tmpfs -o size=40k none "$TMPDIR" && exec "$@"'

    ending = desk.run(stage, {}, [*unshare, "sh", "-c", script, "sh"])

    assert 75 == ending.code, ending.said
    assert is_one_sentence(ending.why), ending.why
    assert "The disk is full" in str(ending.why)
    assert "free space and run it again" in str(ending.why)
    assert "Traceback" not in ending.said
    assert sorted(desk.keys() - before) == []


FILE_CASES = {
    "unknown key": ({"target: {": "traget: { column: y }\ntarget: {"}, "'traget'", "did you mean"),
    "wrong type": (
        {"question: Will": "models: { seed: many }\nquestion: Will"},
        "'many'",
        "integer",
    ),
    "no YAML": ({"question: Will": "question: [Will"}, "problem.yaml", "expected"),
}


def perennial(words: Sequence[str], home: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "perennial", *words],
        env=os.environ | {"PERENNIAL_HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["validate", "plan"])
@pytest.mark.parametrize("case", FILE_CASES.values(), ids=FILE_CASES.keys())
def test_a_problem_file_is_told_where_it_is_wrong(
    tmp_path: Path, command: str, case: tuple[dict[str, str], str, str]
) -> None:
    declared, found, expected = case
    desk = Desk(Store("none", None), tmp_path, "pump")  # type: ignore[arg-type] # no store is asked
    file = desk.write(declared)

    done = perennial([command, str(file)], tmp_path / "home")

    assert 2 == done.returncode
    assert "" == done.stdout
    assert found in done.stderr
    assert expected in done.stderr
    assert f"{file}:" in done.stderr
    assert "Traceback" not in done.stderr
    assert 1 == len(done.stderr.splitlines()), done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("text", ['{"airflow": 70000}', '{"airflow": null}', "[20000]", "{"])
def test_ports_that_are_none_stop_it_as_well(tmp_path: Path, text: str) -> None:
    (tmp_path / "ports.json").write_text(text)

    done = perennial(["up", "--json"], tmp_path)

    assert 2 == done.returncode, done.stderr
    assert "Traceback" not in done.stderr
    assert is_one_sentence(json.loads(done.stdout)["why"])
    assert "delete it to choose new ones" in done.stderr
    assert not (tmp_path / "state.json").exists()


def test_a_port_in_use_stops_the_platform_before_it_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (home / "ports.json").write_text(json.dumps({"airflow": port}))

        done = perennial(["up", "--json"], home)

    assert 2 == done.returncode, done.stderr
    why = json.loads(done.stdout)["why"]
    assert is_one_sentence(why)
    assert f"Port {port} (airflow) is in use by" in why
    assert f"process {os.getpid()}" in why
    assert "stop it, or delete" in why
    assert "Traceback" not in done.stderr
    assert not (home / "state.json").exists()
    assert [] == list((home / "data").iterdir())
