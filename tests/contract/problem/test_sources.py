"""A kind of source is a model and a reader, and nothing else in the product names it."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.problem.read import read_problem_text
from contract.problem.sources import KINDS
from contract.problem.sources.base import SourceBase
from contract.problem.sources.files import FilesSource
from contract.problem.sources.postgres import PostgresSource
from contract.stages import STAGES
from perennial.problems.effective_plan import stages

PROJECT = Path(__file__).parents[3]
ROOMS = ("bundle", "contract", "dags", "methods", "perennial", "plugins", "rehearsal", "serving")
ROOMS += ("tasks",)
# Where a kind may be named: its own two modules, and the registry.
OWN = re.compile(r"(contract/problem/sources|tasks/collection/readers)/\w+\.py")
EXAMPLES: dict[str, dict[str, Any]] = {
    "files": {"path": "${LANDING}/${DAY}/*.csv"},
    "postgres": {"query": "select '${REGION}' as region", "connection": "DSN"},
}


def example(kind: str, **declared: Any) -> SourceBase:
    return KINDS[kind].model_validate({"kind": kind, **EXAMPLES[kind], **declared})


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_reader(kind: str) -> None:
    assert callable(import_module(f"tasks.collection.readers.{kind}").reader)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_named_by_its_own_modules_alone(kind: str) -> None:
    name = re.compile(rf"\b{KINDS[kind].__name__}\b")

    elsewhere = [
        str(path.relative_to(PROJECT))
        for room in ROOMS
        for path in (PROJECT / room).rglob("*.py")
        if not OWN.fullmatch(path.relative_to(PROJECT).as_posix()) and name.search(path.read_text())
    ]

    assert elsewhere == []


def test_a_kind_is_its_modules_name() -> None:
    assert {kind: model.__module__.rpartition(".")[2] for kind, model in KINDS.items()} == {
        kind: kind for kind in KINDS
    }


def test_every_name_of_the_environment_is_said() -> None:
    assert example("files").environment_names() == {"LANDING", "DAY"}
    assert example("postgres").environment_names() == {"DSN", "REGION"}


def test_a_source_says_where_its_rows_are_and_no_secret() -> None:
    assert example("files").describe() == "${LANDING}/${DAY}/*.csv"
    assert example("postgres").describe() == "PostgreSQL at $DSN"


def test_a_plan_says_where_the_rows_of_each_source_are() -> None:
    text = """\
apiVersion: perennial/v1
kind: Problem
name: late
question: Late?
target: { column: late, labels: { from: rows } }
source:
  rows: { kind: files, path: r.csv }
  weather: { kind: postgres, query: select 1, connection: DSN }
features: { join: { weather: { on: [origin] } } }
"""
    plan = dict(stages(read_problem_text(text, "p")))

    assert plan["collection"] == "rows from r.csv; weather from PostgreSQL at $DSN"
    assert list(plan) == list(STAGES)


def test_declared_columns_are_the_key_and_the_times() -> None:
    source = example("files", key=["a", "b"], known_at="k", cursor="c")

    assert source.declared_columns == ("a", "b", "k", "c")
    assert example("files").declared_columns == ()


def test_the_component_for_databases_opens_what_the_kinds_connect_to() -> None:
    component = PROJECT / "k8s" / "components" / "database-sources"
    policy = yaml.safe_load((component / "networkpolicy-stages-to-databases.yaml").read_text())

    opened = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}

    assert opened == {model.egress.port for model in KINDS.values() if model.egress}


def test_only_what_leaves_the_cluster_has_an_egress() -> None:
    assert FilesSource.egress is None
    assert PostgresSource.egress is not None
