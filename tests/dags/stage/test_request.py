"""How a stage is asked; the same words for a process and for a pod."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidRequest
from contract.manifest import Result
from contract.store.reference import Take
from dags.stage.request import arguments, environment, out_uri, required, run_key

RESULT = Result(
    manifest="s3://store/p/runs/r/split/manifest.json", sha256="a" * 64, outcome="made", facts={}
)


def test_the_arguments_are_those_of_the_command_line() -> None:
    found = arguments(
        "selection", {"assignment": RESULT}, {"seed": 7}, "s3://store/p/runs/r/selection"
    )

    assert found == [
        "selection",
        "--take",
        f"assignment=s3://store/p/runs/r/split/manifest.json#assignment@sha256:{'a' * 64}",
        "--params",
        '{"seed":7}',
        "--out",
        "s3://store/p/runs/r/selection",
    ]


def test_a_take_is_read_back_by_the_stage() -> None:
    words = arguments("selection", {"assignment": RESULT}, {}, "s3://store/x")

    assert Take.parse(words[2]).output == "assignment"


@given(st.text(min_size=1, max_size=250))
def test_a_run_is_one_part_of_a_key(run_id: str) -> None:
    found = run_key(run_id)

    assert found
    assert found not in {".", ".."}
    assert len(found) <= 130
    assert set(found) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def test_runs_whose_safe_names_are_equal_have_places_of_their_own() -> None:
    assert run_key("a+b") != run_key("a:b")


def test_a_stage_writes_under_problem_and_run() -> None:
    assert out_uri("store", "flights", "run-1", "split") == "s3://store/flights/runs/run-1/split"


@pytest.mark.parametrize(
    ("stage", "sees"),
    [
        ("problem", {"PERENNIAL_PROBLEMS"}),
        ("collection", {"WEATHER_DSN"}),
        ("tuning", set()),
        ("training", {"PERENNIAL_SIGNING_KEY"}),
        ("evaluation", {"PERENNIAL_VERIFY_KEYS"}),
        ("deployment", {"PERENNIAL_VERIFY_KEYS", "PERENNIAL_API_KEY"}),
        ("monitoring", {"PERENNIAL_VERIFY_KEYS", "WEATHER_DSN"}),
    ],
)
def test_a_key_is_seen_by_those_who_need_it(stage: str, sees: set[str]) -> None:
    secrets = {
        "PERENNIAL_PROBLEMS": "/p",
        "PERENNIAL_SIGNING_KEY": "/s",
        "PERENNIAL_VERIFY_KEYS": "/v",
        "PERENNIAL_API_KEY": "/a",
        "WEATHER_DSN": "postgres://",
        "OTHER_DSN": "postgres://",
        "AIRFLOW__CORE__FERNET_KEY": "f",
    }

    assert set(environment(stage, ["WEATHER_DSN"], secrets)) & set(secrets) == sees


def test_no_library_of_a_stage_calls_home() -> None:
    found = environment("validation", [], {})

    assert (found["GX_ANALYTICS_ENABLED"], found["BENTOML_DO_NOT_TRACK"]) == ("false", "True")


def test_a_missing_name_is_said() -> None:
    with pytest.raises(InvalidRequest) as error:
        required("PERENNIAL_PYTHON", {})

    assert str(error.value) == (
        "PERENNIAL_PYTHON is not set in Airflow's environment; `perennial up` sets it."
    )
