"""Make `docs/dags.md`: the operator's page of every DAG, from its file; Airflow is not imported."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from docs.generate.markdown import page as page_of
from docs.generate.markdown import table

FOLDER = Path(__file__).parent.parent.parent / "dags"
INTRODUCTION = """# The DAGs

A factory makes three DAGs for each folder of `problems/`; no DAG is written by hand.
`NAME` is the problem's name.
What stands below a DAG here is its own documentation in Airflow."""


class Schedule(NamedTuple):
    """What a DAG's file says about it."""

    dag: str
    file: str
    tasks: tuple[str, ...]
    manual: str


def page() -> str:
    """Return the page."""
    found = list(_schedules())
    rows = [
        [f"`{s.dag}`", f"`dags/{s.file}`", " → ".join(f"`{t}`" for t in s.tasks)] for s in found
    ]
    manuals = [f"## `{schedule.dag}`\n\n{schedule.manual}" for schedule in found]
    return page_of(
        INTRODUCTION, table(["DAG", "made by", "tasks, in the order of the file"], rows), *manuals
    )


def _schedules() -> Iterator[Schedule]:
    """Read the files that make a DAG, by name."""
    for path in sorted(FOLDER.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        ids = [_text(word.value) for word in _keywords(tree, "DAG") if word.arg == "dag_id"]
        if ids:
            yield Schedule(ids[0], path.name, tuple(_tasks(tree)), ast.get_docstring(tree) or "")


def _keywords(tree: ast.Module, called: str) -> Iterator[ast.keyword]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == called:
            yield from node.keywords


def _tasks(tree: ast.Module) -> list[str]:
    """Name the tasks where they stand in the file: stages, operators and decorated functions."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "stage" and node.args:
            found.append((node.lineno, _text(node.args[0])))
        if isinstance(node, ast.Call):
            found.extend(
                (node.lineno, _text(word.value)) for word in node.keywords if word.arg == "task_id"
            )
        if isinstance(node, ast.FunctionDef) and any(
            "task" in ast.unparse(d) for d in node.decorator_list
        ):
            found.append((node.lineno, node.name))
    return [name for _, name in sorted(found)]


def _text(node: ast.expr) -> str:
    """Read a text; in an f-string every value becomes NAME."""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _text(part) if isinstance(part, ast.Constant) else "NAME" for part in node.values
        )
    return str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)
