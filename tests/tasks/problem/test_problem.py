"""The problem stage fixes what a run is about."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.champion import Champion
from contract.errors import InvalidRequest
from contract.problem import Problem
from contract.run import Run
from contract.store.client import Store
from contract.store.documents import read_artifact, read_json_artifact
from contract.store.writer import Out
from tasks.problem.task import Inputs, Outputs, Params, run

YAML = """\
apiVersion: perennial/v1
kind: Problem
name: {name}
question: What?
target: {{ column: y }}
source: {{ rows: {{ kind: files, path: rows.csv }} }}
"""


class Stage:
    def __init__(self, store: Store, name: str, folder: Path) -> None:
        self.store, self.name, self.folder = store, name, folder / name
        self.folder.mkdir()
        (self.folder / "problem.yaml").write_text(YAML.format(name=name))

    def run(self, **given: Any) -> Outputs:
        params = {
            "name": self.name,
            "run_id": "r1",
            "window_start": None,
            "window_end": "2026-06-01T00:00:00Z",
            "reason": "manual",
            "force": False,
            **given,
        }
        out = Out(self.store, f"{self.name}/runs/r1/problem", self.folder)
        return run(Inputs(), Params.model_validate(params), out)


@pytest.fixture
def stage(
    store: Store, problem_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Stage:
    monkeypatch.setenv("PERENNIAL_PROBLEMS", str(tmp_path))
    return Stage(store, problem_name, tmp_path)


def test_the_effective_problem_holds_every_default(stage: Stage) -> None:
    made = stage.run()

    problem = read_artifact(stage.store, made.problem, Problem)
    assert problem.gates.minimum == {}
    assert problem.main_source_name == "rows"


def test_overrides_hold_for_this_run(stage: Stage) -> None:
    made = stage.run(overrides={"models.budget": "60s"})

    problem = read_artifact(stage.store, made.problem, Problem)
    assert problem.models.budget.total_seconds() == 60


def test_an_override_that_does_not_fit_is_named(stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match=r"--set models.budgt: .*did you mean 'budget'"):
        stage.run(overrides={"models.budgt": "60s"})


def test_the_run_knows_who_serves(stage: Stage) -> None:
    serving = Champion(
        digest="a" * 64, run="r0", verdict=None, since=datetime(2026, 5, 1, tzinfo=UTC), nonce="n"
    )
    stage.store.create(f"{stage.name}/champion.json", serving.canonical())

    made = stage.run()

    assert made.champion == "a" * 64
    assert serving == read_artifact(stage.store, made.run, Run).champion


def test_the_salt_is_the_same_in_every_run(stage: Stage) -> None:
    first = read_artifact(stage.store, stage.run().run, Run)
    second = read_artifact(stage.store, stage.run(run_id="r2").run, Run)

    assert first.salt == second.salt


def test_a_problem_without_a_suite_has_an_empty_one(stage: Stage) -> None:
    made = stage.run()

    assert [] == read_json_artifact(stage.store, made.expectations)["expectations"]


def test_the_suite_beside_the_file_is_read(stage: Stage) -> None:
    suite = {"name": "s", "expectations": [{"type": "expect_x", "kwargs": {}}], "meta": {}}
    (stage.folder / "expectations.json").write_text(json.dumps(suite))

    made = stage.run()

    assert (
        suite["expectations"] == read_json_artifact(stage.store, made.expectations)["expectations"]
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", r"expectations.json:1:2: found no JSON"),
        ('{"expectations": {}}', "a suite as Great Expectations writes it is expected"),
    ],
)
def test_a_file_that_is_no_suite_is_an_invalid_request(stage: Stage, body: str, said: str) -> None:
    (stage.folder / "expectations.json").write_text(body)

    with pytest.raises(InvalidRequest, match=said):
        stage.run()


def test_a_window_that_ends_before_it_begins_is_an_invalid_request(stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match="its end must be later"):
        stage.run(window_start="2026-06-02T00:00:00Z")


def test_an_unknown_problem_is_named_with_the_known_ones(stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match=f"no problem 'nothing' in .*{stage.name}"):
        stage.run(name="nothing")


def test_a_folder_of_another_name_is_an_invalid_request(stage: Stage) -> None:
    (stage.folder / "problem.yaml").write_text(YAML.format(name="other"))

    with pytest.raises(InvalidRequest, match="give both one name"):
        stage.run()


def test_a_folder_that_is_named_earlier_counts(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = tmp_path / "added" / stage.name
    added.mkdir(parents=True)
    text = (stage.folder / "problem.yaml").read_text()
    (added / "problem.yaml").write_text(f"{text}\nowner: the add-on\n")
    monkeypatch.setenv("PERENNIAL_PROBLEMS", f"{added.parent}:{tmp_path}")

    made = stage.run()

    problem = read_artifact(stage.store, made.problem, Problem)
    assert problem.owner == "the add-on"


def test_a_window_that_ends_in_the_future_is_refused(stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match=r"ends at 9999-06-01.*Give an end that has passed"):
        stage.run(window_end="9999-06-01T00:00:00Z")


def test_the_run_knows_since_when_the_world_has_changed(stage: Stage) -> None:
    made = stage.run(onset="2026-05-28")

    assert read_artifact(stage.store, made.run, Run).onset == date(2026, 5, 28)
    assert read_artifact(stage.store, stage.run().run, Run).onset is None
