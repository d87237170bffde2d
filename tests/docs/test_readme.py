import re
import subprocess
from pathlib import Path

import pytest

from contract.errors import InvalidRequest
from contract.problem import read_problem_text

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_picture_of_the_cycle_stands_on_the_first_screen() -> None:
    assert "12 monitoring, daily" in "\n".join(README.splitlines()[:24])


def test_make_knows_every_target_of_the_readme() -> None:
    named = set(re.findall(r"`?make ([a-z0-9-]+)", README))
    known = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named
    assert named <= known


def test_make_alone_prints_the_vocabulary() -> None:
    said = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    for word in ("help", "demo", "test", "check", "up", "down", "lock", "bench-cycle"):
        assert f"make {word} " in said


def test_the_problem_file_holds_and_needs_each_of_its_keys() -> None:
    lines = README.partition("```yaml\n")[2].partition("```")[0].splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if not line.startswith(" ")]

    problem = read_problem_text("".join(lines), "README.md")

    assert problem.name == "churn"
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        with pytest.raises(InvalidRequest):
            read_problem_text("".join(lines[:start] + lines[end:]), "README.md")


def test_every_command_of_the_readme_exists() -> None:
    from perennial.__main__ import COMMANDS

    named = set(re.findall(r"^perennial ([a-z]+)", README, re.MULTILINE))

    assert named <= set(COMMANDS)
