"""One name for one thing: no public class twice in the tree, no module twice in a room, no long module."""

import ast
import subprocess
from collections import defaultdict
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
OUTSIDE = ("tests/", "benchmarks/", "docs/")
# Every task has these, and every stage a page.
OF_EACH_TASK = {"Inputs", "Params", "Outputs"}
OF_EACH_PACKAGE = {"__init__.py", "__main__.py", "task.py", "page.py"}


def product_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [name for name in listed if not name.startswith(OUTSIDE) and (ROOT / name).is_file()]


def repeated(names: dict[str, set[str]]) -> dict[str, list[str]]:
    return {name: sorted(where) for name, where in names.items() if len(where) > 1}


def classes(sources: dict[str, str]) -> dict[str, set[str]]:
    """Return the files of each public class."""
    found: dict[str, set[str]] = defaultdict(set)
    for file, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].add(file)
    return {name: files for name, files in found.items() if name not in OF_EACH_TASK}


def modules(files: list[str]) -> dict[str, set[str]]:
    """Return the files of each module name within its top-level room."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in files:
        room, _, rest = file.partition("/")
        if rest and Path(file).name not in OF_EACH_PACKAGE:
            found[f"{room}: {Path(file).name}"].add(file)
    return found


def test_a_public_class_name_stands_for_one_class() -> None:
    sources = {file: (ROOT / file).read_text("utf-8") for file in product_files()}

    assert len(classes(sources)) > 300
    assert repeated(classes(sources)) == {}


def test_a_module_name_stands_once_in_its_room() -> None:
    assert repeated(modules(product_files())) == {}


def test_modules_are_short() -> None:
    lines = {file: len((ROOT / file).read_text("utf-8").splitlines()) for file in product_files()}
    written = [count for file, count in lines.items() if Path(file).name != "__init__.py"]

    assert median(written) <= 100
    assert {file: count for file, count in lines.items() if count > 300} == {}


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"a/x.py": "class A: ...", "b/y.py": "class A: ..."}, {"A": ["a/x.py", "b/y.py"]}),
        ({"a/x.py": "class _A: ...", "b/y.py": "class _A: ..."}, {}),
        ({"a/x.py": "class Inputs: ...", "b/y.py": "class Inputs: ..."}, {}),
    ],
)
def test_a_repeated_class_is_seen(sources: dict[str, str], expected: dict[str, list[str]]) -> None:
    assert repeated(classes(sources)) == expected


def test_a_repeated_module_is_seen() -> None:
    files = ["a/b/x.py", "a/c/x.py", "d/x.py", "a/b/task.py", "a/c/task.py"]

    assert repeated(modules(files)) == {"a: x.py": ["a/b/x.py", "a/c/x.py"]}
