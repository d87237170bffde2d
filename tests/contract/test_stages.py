"""A stage is declared in one place, and nothing else of the product tells stages apart by their names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.problem import read_problem_text
from contract.problem.resources import DEFAULTS
from contract.stages import CYCLE, STAGES, TASKS, StageSpec, spec_of
from perennial.problems.effective_plan import stages

ROOT = Path(__file__).parents[2]
ROOMS = ("contract", "bundle", "methods", "pages", "tasks", "serving", "perennial", "demo")
DECLARATION = ROOT / "contract" / "stages.py"
NAMES = {spec.name for spec in TASKS}
# The stages that fit a plan, by the artifact in which each leaves it: fields of their own models.
ALLOWED = {("contract/store/earlier_runs.py", frozenset({"selection", "tuning"}))}
PROBLEM = """\
apiVersion: perennial/v1
kind: Problem
name: churn
question: Will this customer leave?
target: { column: left }
source:
  customers: { kind: files, path: "${LANDING}/*.csv" }
"""


def modules(*rooms: str) -> list[Path]:
    return [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]


def tables(path: Path) -> Iterator[frozenset[str]]:
    """The collections of a module whose entries, or keys, are two or more stages and nothing else."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        entries: list[ast.expr | None] = []
        if isinstance(node, ast.Dict):
            entries = list(node.keys)
        elif isinstance(node, ast.Set | ast.Tuple | ast.List):
            entries = list(node.elts)
        names = {entry.value for entry in entries if isinstance(entry, ast.Constant)}
        if len(names) > 1 and names <= NAMES and len(entries) == len(names):
            yield frozenset(map(str, names))


def words(path: Path) -> set[object]:
    """The texts of a module, each as a whole."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def test_there_is_no_second_table_of_stages() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), table)
        for path in modules(*ROOMS, "dags", "plugins")
        if path != DECLARATION
        for table in tables(path)
    }

    assert found == ALLOWED


@pytest.mark.parametrize(
    "path",
    [*modules("dags/stage"), ROOT / "dags" / "factory.py", ROOT / "dags" / "settings.py"],
    ids=lambda path: path.name,
)
def test_what_runs_a_stage_names_none(path: Path) -> None:
    """Or it could treat one stage unlike the others without its declaration."""
    # A pod has a volume of that name, and the operator a problem.
    assert words(path) & (NAMES - {"problem"}) == set()


def test_a_name_is_declared_once() -> None:
    assert len(NAMES) == len(TASKS)
    assert tuple(spec.name for spec in CYCLE) == STAGES


@pytest.mark.parametrize("spec", TASKS, ids=lambda spec: spec.name)
def test_a_declared_task_has_its_package_and_its_question(spec: StageSpec) -> None:
    assert (ROOT / "tasks" / spec.name / "task.py").exists()
    assert (
        spec.question.rstrip(".").endswith(("?", "card", "fixes", "if not")) or "?" in spec.question
    )


def test_every_package_of_the_tasks_is_declared() -> None:
    packages = {path.parent.name for path in (ROOT / "tasks").glob("*/task.py")}

    assert packages == NAMES


def test_a_name_that_is_not_declared_has_no_rights() -> None:
    spec = spec_of("nosuch")

    assert (spec.secrets, spec.reads_problem_files, spec.reads_sources, spec.deploys) == (
        (),
        False,
        False,
        False,
    )


def test_each_stage_of_the_cycle_has_resources_and_a_plan() -> None:
    problem = read_problem_text(PROBLEM, "churn/problem.yaml")

    plans = dict(stages(problem))

    assert tuple(DEFAULTS) == tuple(plans) == STAGES
    assert [name for name, plan in plans.items() if re.search(r"^$|(?<!\$)\{", plan)] == []
