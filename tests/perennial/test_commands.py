import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from perennial.__main__ import COMMANDS, cli
from perennial.console import Command
from perennial.local.home import Home

Call = Callable[..., Result]
Write = Callable[..., Path]
NEEDS_THE_PLATFORM = (
    ("run", "churn"),
    ("monitor", "churn"),
    ("status",),
    ("why", "churn"),
    ("alert", "churn"),
    ("history", "churn"),
    ("rollback", "churn"),
    ("rehearse", "churn"),
    ("gc", "churn"),
)


def _command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(call: Call, name: str) -> None:
    result = call(name, "--help")

    assert result.exit_code == 0
    assert f"Example:\n  perennial {name}" in result.stdout
    assert "--json" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is(name: str) -> None:
    command = _command(name)

    assert isinstance(command, Command)
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert silent == []


def test_the_documentation_of_the_command_is_current() -> None:
    from docs.generate.command import page

    written = Path(__file__).parents[2] / "docs" / "command.md"

    assert written.read_text(encoding="utf-8") == page()


def test_a_valid_problem_is_reported_as_valid(call: Call, write_problem: Write) -> None:
    file = write_problem()

    result = call("validate", "churn", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "valid": True,
        "name": "churn",
        "file": str(file),
        "suite": None,
        "notices": [],
    }


def test_an_error_is_a_sentence_and_exit_2(call: Call, write_problem: Write) -> None:
    file = write_problem(text="apiVersion: perennial/v1\nkind: Problem\nnmae: churn\n")

    result = call("validate", "churn")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"{file}:3:1: found the unknown key 'nmae'; did you mean 'name'?" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_error_is_one_document_for_a_program(call: Call) -> None:
    result = call("validate", "nothing", "--json")

    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["exit"] == 2
    assert found["why"].endswith("known are: none.")


def test_a_name_that_is_nearly_right_is_offered(call: Call, write_problem: Write) -> None:
    write_problem()

    result = call("validate", "chrun")

    assert "did you mean 'churn'?" in result.stderr


def test_a_margin_in_the_metrics_unit_is_read_and_told(call: Call, write_problem: Write) -> None:
    """As files of earlier versions have it."""
    file = write_problem()
    margin = "gates: { beats: { champion: { margin: 0.01 } } }"
    file.write_text(f"{file.read_text()}\n{margin}\n")

    shown = call("validate", "churn")
    found = json.loads(call("validate", "churn", "--json").stdout)

    assert shown.exit_code == 0
    assert (
        "Notice: gates.beats.champion.margin is 0.01, a number in the metric's unit" in shown.stdout
    )
    assert "write a share of the champion's gain over a constant answer" in found["notices"][0]


def test_a_name_that_differs_from_its_folder_is_refused(call: Call, write_problem: Write) -> None:
    file = write_problem()
    file.parent.rename(file.parent.with_name("other"))

    result = call("validate", "other")

    assert result.exit_code == 2
    assert "found the name 'churn' in the folder 'other'; both must be the same" in result.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{", "found no JSON"), ("[]", "found no suite; an object with a list 'expectations'")],
)
def test_a_damaged_suite_is_refused(
    call: Call, write_problem: Write, text: str, sentence: str
) -> None:
    write_problem().with_name("expectations.json").write_text(text)

    result = call("validate", "churn")

    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_plan_separates_given_settings_from_defaults_with_reasons(
    call: Call, write_problem: Write
) -> None:
    write_problem()

    found = json.loads(call("plan", "churn", "--set", "models.budget=90s", "--json").stdout)

    settings = {one["key"]: one for one in found["settings"]}
    assert settings["models.budget"]["value"] == "90s"
    assert settings["models.budget"]["given"] is True
    assert settings["checks.quarantine.budget"]["given"] is False
    assert all(one["why"] for one in found["settings"] if not one["given"])


def test_a_plan_names_the_twelve_stages_and_rows_unknown(call: Call, write_problem: Write) -> None:
    from contract.stages import STAGES

    write_problem()

    found = json.loads(call("plan", "churn", "--json").stdout)

    assert tuple(entry["stage"] for entry in found["stages"]) == STAGES
    assert found["rows_expected"] == {"customers": None}


def test_a_plan_shows_the_defaults_that_follow_from_other_keys(
    call: Call, write_problem: Write
) -> None:
    write_problem()

    settings = json.loads(call("plan", "churn", "--json").stdout)["settings"]

    values = {one["key"]: one["value"] for one in settings}
    assert values["split.by"] == "time"
    assert values["target.task"] == "inferred"
    assert values["target.labels"] == "from customers on the row's hash, 1d late"


def test_an_invalid_override_is_named(call: Call, write_problem: Write) -> None:
    write_problem()

    result = call("plan", "churn", "--set", "models.budget=soon")

    assert result.exit_code == 2
    assert "--set models.budget: models.budget: found 'soon'; a duration" in result.stderr


@pytest.mark.parametrize("words", NEEDS_THE_PLATFORM, ids=lambda words: words[0])
def test_without_the_platform_a_command_says_so(
    call: Call, write_problem: Write, words: tuple[str, ...]
) -> None:
    write_problem()

    result = call(*words)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.endswith("is not up; run `perennial up`.\n")


@pytest.mark.parametrize("command", ["run", "monitor"])
def test_a_window_that_ends_in_the_future_is_refused(
    call: Call, write_problem: Write, command: str
) -> None:
    write_problem("churn")

    result = call(command, "churn", "--window-end", "9999-01-01")

    assert result.exit_code == 2
    assert "--window-end 9999-01-01 is in the future" in result.stderr


def test_an_onset_that_is_no_day_is_refused(call: Call, write_problem: Write) -> None:
    write_problem("churn")

    result = call("run", "churn", "--onset", "2026-02-30")

    assert result.exit_code == 2
    assert "--onset '2026-02-30' was found; a day is expected" in result.stderr


def test_a_window_that_ends_before_it_starts_is_refused(call: Call, write_problem: Write) -> None:
    write_problem()

    result = call("run", "churn", "--window-start", "2026-02-01", "--window-end", "2026-01-01")

    assert result.exit_code == 2
    assert "is not before --window-end 2026-01-01; give an end after the start" in result.stderr


def test_a_time_that_is_none_is_refused(call: Call, write_problem: Write) -> None:
    write_problem()

    result = call("run", "churn", "--window-end", "2026-13-01")

    assert result.exit_code == 2
    assert "--window-end '2026-13-01' was found; a time is expected" in result.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{", "found no JSON"), ("[]", "found '[]'; a row"), ("[1]", "found '[1]'; a row")],
)
def test_rows_that_are_none_are_refused(
    call: Call, write_problem: Write, text: str, sentence: str
) -> None:
    write_problem()

    result = call("predict", "churn", stdin=text)

    assert result.exit_code == 2
    assert sentence in result.stderr


def test_down_without_a_platform_is_done(call: Call) -> None:
    assert json.loads(call("down", "--json").stdout) == {"up": False, "stopped": 0}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["validate", "plan"])
def test_checking_a_file_loads_no_heavy_library(
    home: Home, write_problem: Write, name: str
) -> None:
    """Both promise to answer within two seconds."""
    write_problem()
    code = (
        "import sys\nfrom perennial.__main__ import cli\n"
        f"cli(['{name}', 'churn', '--json'], standalone_mode=False)\n"
        "heavy = {'boto3', 'httpx', 'numpy', 'pandas', 'airflow', 'bentoml', 'cryptography'}\n"
        "sys.stderr.write(' '.join(sorted(heavy & sys.modules.keys())))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(home.project)},
        capture_output=True,
        check=True,
        text=True,
    )

    assert done.stderr == ""
