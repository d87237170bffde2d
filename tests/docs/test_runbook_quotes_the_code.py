"""What the runbook quotes is what the code says, so that a search for an alarm finds its row."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
ROOMS = (
    "contract",
    "bundle",
    "methods",
    "tasks",
    "dags",
    "plugins",
    "rehearsal",
    "serving",
    "perennial",
    "demo",
)
PROSE = re.sub(r"```.*?```|`[^`]*`", "", RUNBOOK, flags=re.DOTALL)
pytestmark = pytest.mark.slow  # the first one parses every module
QUOTES = sorted(set(re.findall(r'"([^"\n]{10,})"', PROSE)))


@cache
def sentences() -> str:
    """Every text of the code, a line each; the values inside a text become an ellipsis."""
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    trees = [ast.parse(path.read_text("utf-8")) for path in paths]
    return "\n".join(_text(node) for tree in trees for node in ast.walk(tree))


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values).replace("\n", " ")
    if isinstance(node, ast.FormattedValue):
        return "…"
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return str(node.value).replace("\n", " ") if is_text else ""


def test_the_runbook_quotes_something() -> None:
    assert len(QUOTES) >= 10


@pytest.mark.parametrize("quote", QUOTES)
def test_a_quoted_sentence_stands_in_the_code(quote: str) -> None:
    pattern = ".*".join(re.escape(part.strip(" .")) for part in quote.split("…"))

    assert re.search(pattern, sentences()), quote
