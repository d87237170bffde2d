"""A file, a module, a make target or a test that text names is there: links are not the only references.

Decisions and the changelog are dated: they name what was there then.
"""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    *("benchmarks", "bundle", "containers", "contract", "dags", "demo", "docs", "k8s", "locks"),
    *("methods", "pages", "perennial", "plugins", "rehearsal", "serving", "tasks", "tests"),
)
# Keys of the problem file may begin like a room: `serving.rollout`.
KEYS = set(json.loads((ROOT / "docs" / "problem.schema.json").read_text("utf-8"))["properties"])
DATED = ("docs/decisions/", "CHANGELOG.md")
# A name in capitals or between braces or brackets stands for any of its kind.
FILE = re.compile(
    rf"(?<![\w./-])(?:{'|'.join(ROOMS)})/(?:[\w.-]+/)*[\w.-]+"
    r"\.(?:py|md|ya?ml|json|toml|sh|txt|c|pyi|go|js|css)\b"
)
MODULE = re.compile(rf"`((?:{'|'.join(ROOMS)})(?:\.[a-zA-Z_]\w*)+)`")
TARGET = re.compile(
    r"`make ([a-z][a-z0-9-]*)\b|^\s*make ([a-z][a-z0-9-]*)\b(?=\s+#|$)", re.MULTILINE
)
RUN = re.compile(rf"python -m ((?:{'|'.join(ROOMS)})(?:\.\w+)*)\b")
PLACEHOLDER = re.compile(r"\b(?:STAGE|NAME|PROBLEM|SOURCE|RUN|KIND|FAMILY|NNNN|DIGEST)\b")


def tracked(*patterns: str) -> list[str]:
    found = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return [name for name in found if (ROOT / name).is_file()]


def texts() -> Iterator[tuple[str, str]]:
    """Yield each page whole, and of each module what is written for people: strings, comments."""
    for name in tracked("*.md", "Makefile", "*Containerfile", "pyproject.toml"):
        if name.startswith(DATED):
            continue
        yield name, (ROOT / name).read_text("utf-8")
    for name in tracked("*.py", "*.pyi"):
        source = (ROOT / name).read_text("utf-8")
        comments = [line.partition("#")[2] for line in source.splitlines() if "#" in line]
        tree = ast.walk(ast.parse(source))
        strings = [
            node.value
            for node in tree
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        yield name, "\n".join([*strings, *comments])


TEXTS = list(texts())
FILES = set(tracked())
TARGETS = set(
    re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
)


def named(pattern: re.Pattern[str], *, but: tuple[str, ...] = ()) -> set[tuple[str, str]]:
    return {
        (where, next(group for group in found if group) if isinstance(found, tuple) else found)
        for where, text in TEXTS
        if not where.startswith(but)
        for found in pattern.findall(text)
    }


def is_module_or_name(dotted: str) -> bool:
    """Tell whether `dotted` is a module, or a name that stands in its module."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[:length])
        for file in (f"{path}.py", f"{path}.c", f"{path}/__init__.py"):
            if file in FILES:
                text = (ROOT / file).read_text("utf-8")
                return all(re.search(rf"\b{name}\b", text) for name in parts[length : length + 1])
    return False


def is_other(dotted: str) -> bool:
    """Tell whether it is a key of the problem file, or a file of a bundle."""
    first, _, second = dotted.partition(".")
    return (first in KEYS and not is_module_or_name(f"{first}.{second.partition('.')[0]}")) or (
        dotted.endswith((".json", ".md"))
    )


def test_every_file_that_text_names_is_there() -> None:
    found = named(FILE, but=("tests/",))

    assert not sorted(
        (where, file) for where, file in found if file not in FILES and not PLACEHOLDER.search(file)
    )


def test_every_module_that_text_names_is_there() -> None:
    found = named(MODULE, but=("tests/docs/",)) | named(RUN, but=("tests/docs/",))

    assert not sorted(
        (where, name) for where, name in found if not is_module_or_name(name) and not is_other(name)
    )


def test_every_make_target_that_text_names_is_there() -> None:
    found = named(TARGET)

    assert found
    assert not sorted((where, name) for where, name in found if name not in TARGETS)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (
            FILE,
            "see `contract/gone.py`, or tests/test_gone.py.",
            ["contract/gone.py", "tests/test_gone.py"],
        ),
        (FILE, "https://example.org/docs/a.md", []),
        (MODULE, "`contract.gone.Name` and `perennial validate`", ["contract.gone.Name"]),
        (RUN, "    python -m tasks.gone", ["tasks.gone"]),
    ],
)
def test_the_patterns_see_what_they_should(
    pattern: re.Pattern[str], text: str, expected: list[str]
) -> None:
    assert pattern.findall(text) == expected
