from datetime import timedelta
from pathlib import Path

import pytest

from contract.errors import InvalidRequest
from contract.problem import Problem, read_problem, read_problem_text
from contract.problem.sources import KINDS

SMALL = """\
apiVersion: perennial/v1
kind: Problem
name: wine
question: Which grower made this wine?
target: { column: grower }
source:
  wines: { kind: files, path: "${LANDING}/wine/*.csv", key: [bottle] }
"""

TWO = """\
apiVersion: perennial/v1
kind: Problem
name: flights
question: Will it be late?
target: { column: late, positive: true, labels: { from: departures, on: [flight], horizon: 1d } }
source:
  weather:
    kind: postgres
    query: select * from weather
    connection: WEATHER_DSN
  departures:
    kind: files
    path: ${LANDING}/departures/*.csv.gz
    key: [flight]
    event_time: at
features:
  join: { weather: { on: [origin], as_of: at, tolerance: 2h } }
retraining: { mode: off }
"""


def refused(text: str, **overrides: object) -> str:
    with pytest.raises(InvalidRequest) as caught:
        read_problem_text(text, "p.yaml", {k.replace("__", "."): v for k, v in overrides.items()})
    return str(caught.value)


def test_four_keys_are_enough() -> None:
    problem = read_problem_text(SMALL, "p.yaml")

    assert problem.models.budget == timedelta(minutes=5)
    assert problem.main_source_name == "wines"
    assert problem.split_by == "hash"
    assert problem.labels.on == ("bottle",)


def test_the_source_of_the_labels_is_the_main_one() -> None:
    problem = read_problem_text(TWO, "p.yaml")

    assert problem.main_source_name == "departures"
    assert problem.split_by == "time"


def test_on_is_a_key_and_off_is_a_word() -> None:
    problem = read_problem_text(TWO, "p.yaml")

    assert problem.target.labels is not None
    assert problem.target.labels.on == ("flight",)
    assert problem.retraining.mode == "off"


def test_the_effective_problem_reads_back_as_itself() -> None:
    problem = read_problem_text(TWO, "p.yaml")

    assert Problem.model_validate_json(problem.canonical()) == problem


def test_the_names_of_the_environment_are_found() -> None:
    problem = read_problem_text(TWO, "p.yaml")

    assert problem.environment_names() == {"LANDING", "WEATHER_DSN"}


def test_an_override_takes_the_place_of_the_file() -> None:
    problem = read_problem_text(
        SMALL, "p.yaml", {"models.budget": "60s", "owner": "me", "target.column": "maker"}
    )

    assert problem.models.budget == timedelta(minutes=1)
    assert problem.owner == "me"
    assert problem.target.column == "maker"


def test_a_wrong_override_is_named_as_such() -> None:
    assert refused(SMALL, models__budget=60) == (
        "--set models.budget: models.budget: found 60; "
        "a duration is expected, such as 90s, 5m, 2h, 7d."
    )


def test_an_unknown_key_is_answered_with_did_you_mean() -> None:
    assert refused(SMALL + "models: { buget: 5m }\n") == (
        "p.yaml:8:11: found the unknown key 'models.buget'; did you mean 'budget'?"
    )


def test_an_unknown_key_inside_a_source_is_placed_too() -> None:
    assert refused(SMALL.replace("key:", "keys:")) == (
        "p.yaml:7:56: found the unknown key 'source.wines.keys'; did you mean 'key'?"
    )


def test_an_unlike_key_is_answered_with_the_known_ones() -> None:
    assert "known are: beats, latency_p99, minimum" not in refused(SMALL + "zzz: 1\n")
    assert refused(SMALL + "models: { zzz: 1 }\n").endswith("known are: budget, candidates, seed.")


def test_all_errors_of_a_file_are_said_at_once() -> None:
    text = SMALL.replace("name: wine", "name: Wine!") + "models: { budget: long, seed: -1 }\n"

    assert [line.split(": ")[0] for line in refused(text).splitlines()] == [
        "p.yaml:3:1",
        "p.yaml:8:11",
        "p.yaml:8:25",
    ]


def test_a_missing_key_is_named() -> None:
    text = SMALL.replace("question: Which grower made this wine?\n", "")

    assert refused(text) == "p.yaml:1:1: 'question' is missing; it is required: add it."


def test_an_unknown_kind_of_source_is_named() -> None:
    assert refused(SMALL.replace("kind: files", "kind: ftp")) == (
        "p.yaml:7:3: source.wines.kind is not known; "
        f"one of {', '.join(sorted(KINDS))} is expected."
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("from: departures", "from: arrivals"), "target.labels.from is 'arrivals'"),
        (("join: { weather", "join: { climate"), "features.join names 'climate'"),
        (("join: { weather", "join: { climate"), "source 'weather' is not joined"),
        (("    event_time: at\n", "split: { by: time }\n"), "is absent; add it"),
        (("retraining:", "split: { by: group }\nretraining:"), "split.group go together"),
        (("column: late", "column: late, task: regression"), None),
        (
            ("retraining:", "metric: { name: rmse }\nretraining:"),
            None,
        ),
    ],
)
def test_keys_that_disagree_are_named(change: tuple[str, str], sentence: str | None) -> None:
    old, new = change
    text = TWO.replace(old, new)
    if new == "split: { by: time }\n":
        text = TWO.replace(old, "") + new
    if sentence is None:
        assert read_problem_text(text, "p.yaml").name == "flights"
    else:
        assert sentence in refused(text)


def test_a_metric_must_fit_the_task() -> None:
    text = SMALL.replace("column: grower", "column: grower, task: multiclass")

    assert "which does not fit the task multiclass" in refused(text + "metric: { name: rmse }\n")
    assert read_problem_text(text + "metric: { name: f1 }\n", "p").metric.name == "f1"


def test_the_target_cannot_be_dropped() -> None:
    assert "features.drop holds the target" in refused(SMALL + "features: { drop: [grower] }\n")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("schedule: nightly", "a cron line of five fields is expected"),
        ("timezone: Mars/Olympus", "a name of the time zone database is expected"),
        ('monitoring: { at: "25:00" }', "a time of day is expected"),
    ],
)
def test_times_are_checked(line: str, sentence: str) -> None:
    assert sentence in refused(f"{SMALL}{line}\n")


def test_times_that_are_right_pass() -> None:
    text = SMALL + 'schedule: 0 2 * * *\ntimezone: Europe/Berlin\nmonitoring: { at: "23:59" }\n'

    assert read_problem_text(text, "p.yaml").schedule == "0 2 * * *"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [1", "p.yaml:1:6: found no YAML"),
        ("a: 1\na: 2\n", "p.yaml:2:1: the key 'a' stands twice; leave one of them."),
        ("", "p.yaml:1:1: found None; a mapping"),
        ("- a\n- b\n", "p.yaml:1:1: found ['a', 'b']; a mapping"),
        ("\x00", "p.yaml: found no YAML"),
    ],
)
def test_what_is_no_mapping_is_refused(text: str, sentence: str) -> None:
    assert sentence in refused(text)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    absent, latin = tmp_path / "absent.yaml", tmp_path / "latin.yaml"
    latin.write_bytes("name: caf\xe9".encode("latin-1"))

    with pytest.raises(InvalidRequest, match="found no readable problem file"):
        read_problem(absent)
    with pytest.raises(InvalidRequest, match="save it as UTF-8"):
        read_problem(latin)


def test_a_file_reads_as_its_text(tmp_path: Path) -> None:
    path = tmp_path / "problem.yaml"
    path.write_text(SMALL, encoding="utf-8")

    assert read_problem(path) == read_problem_text(SMALL, "p.yaml")


def test_scalars_follow_yaml_1_2() -> None:
    text = SMALL + "columns: { a: { range: [1e3, .5] }, b: { required: true, unit: null } }\n"

    problem = read_problem_text(text, "p.yaml")

    assert problem.columns["a"].range == (1000.0, 0.5)
    assert problem.columns["b"].required is True
    assert problem.columns["b"].unit is None
    assert read_problem_text(SMALL + "gates: { beats: { dummy: false } }\n", "p").gates.beats == (
        problem.gates.beats.model_copy(update={"dummy": False})
    )


CANARY = "serving: { rollout: { canary: { %s } } }\n"


def test_a_model_is_rolled_out_pod_by_pod_unless_a_canary_is_asked_for() -> None:
    plain = read_problem_text(SMALL, "p.yaml").serving
    asked = read_problem_text(SMALL + CANARY % "bake: 5m", "p.yaml")

    assert (plain.replicas, plain.rollout, plain.canary) == (2, "rolling", None)
    assert asked.serving.canary is not None
    assert asked.serving.canary.steps == (0.25, 0.5)
    assert asked.serving.canary.longest == timedelta(hours=2, minutes=10)
    assert Problem.model_validate_json(asked.canonical()) == asked


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("serving: { rollout: fast }\n", "found 'fast'; rolling, or canary with its steps, is"),
        ("serving: { rollout: null }\n", "found None; rolling, or canary with its steps, is"),
        ("serving: { rollout: { canry: {} } }\n", "did you mean 'canary'?"),
        (CANARY % "bak: 5m", "found the unknown key 'serving.rollout.canary.bak'; did you mean"),
        (CANARY % "steps: [50%, 25%]", "steps are 50%, 25%; shares that ascend between 0% and"),
        (CANARY % "steps: [50%, 100%]", "steps are 50%, 100%; shares that ascend"),
        (CANARY % "bake: 10h", "are 22h together; at most 20h are expected, as a run has a day"),
        (CANARY % "min_requests: 0", "serving.rollout.canary.min_requests: found 0"),
        ("serving: { replicas: 0 }\n", "serving.replicas: found 0"),
    ],
)
def test_a_rollout_that_cannot_be_is_named_once(text: str, sentence: str) -> None:
    found = refused(SMALL + text)

    assert sentence in found
    assert len(found.splitlines()) == 1
