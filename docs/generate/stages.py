"""Fill the parts of a stage's page that the code says: its question, takes, makes, facts, refuses.

The rest of `docs/lifecycle/STAGE.md` is written by hand and stays as it is.
"""

import ast
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from contract.stages import CYCLE, STAGES, spec_of
from docs.generate.markdown import NOTICE, cell, table

ROOT = Path(__file__).parent.parent.parent
BEGIN = "<!-- from the stage's code, by `python -m docs.generate` -->"
END = "<!-- end -->"
WORDS = ("Takes", "Makes", "Facts", "Refuses", "Source")
FIRST = "## What it does"


class Field(NamedTuple):
    """One field of a stage's model."""

    name: str
    kind: str
    is_optional: bool


def path_of(stage: str) -> Path:
    """Return the path of a stage's page."""
    return ROOT / "docs" / "lifecycle" / f"{stage}.md"


def page(stage: str) -> str:
    """Return a stage's page with its head and the part between the marks made anew."""
    text = path_of(stage).read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    _, _, written = before.partition(FIRST)
    number = STAGES.index(stage) + 1
    head = f"# {number}. {stage.capitalize()}\n\n> {spec_of(stage).question}\n\n{FIRST}{written}"
    return f"{head}{BEGIN}\n\n{_contract(stage)}\n\n{END}{after}"


def index() -> str:
    """Return the page that lists the stages in the order of the cycle."""
    rows = [
        (str(number), f"[{spec.name}]({spec.name}.md)", spec.question)
        for number, spec in enumerate(CYCLE, 1)
    ]
    return f"{NOTICE}\n\n# The stages\n\n{table(('', 'stage', 'question'), rows)}\n"


PAGES: dict[Path, Callable[[], str]] = {
    ROOT / "docs" / "lifecycle" / "README.md": index,
    **{path_of(stage): partial(page, stage) for stage in STAGES},
}


def _contract(stage: str) -> str:
    tree = tree_of(stage)
    sections = words(ast.get_docstring(tree) or "")
    rows = "\n".join(f"| **{word}** | {cell(sections.get(word, ''))} |" for word in WORDS)
    params = ", ".join(f"`{field.name}`" for field in fields(tree, "Params")) or "none"
    return (
        f"| | |\n| --- | --- |\n{rows}\n| **Parameters** | {params} |\n\n"
        f"## Alone\n\n```console\n{_command(stage, tree)}\n```"
    )


def words(docstring: str) -> dict[str, str]:
    """Read the five words of a stage's docstring; an indented line goes on with the one before."""
    found: dict[str, str] = {}
    word = ""
    for line in docstring.splitlines():
        first = line.split(" ", 1)[0]
        if first in WORDS:
            word = first
            found[word] = _sides(line.removeprefix(word).strip())
        elif word and line.startswith(" "):
            # A name of its own at the column of the others begins a new part.
            glue = "; " if re.match(r" {9}[a-z_]+(?:, [a-z_]+)* {2,}\S", line) else " "
            found[word] += glue + _sides(line.strip())
    return found


def _sides(text: str) -> str:
    """Put a colon between names and what is said of them, which stand apart by spaces."""
    names, gap, rest = re.split(r"( {2,}|$)", text, maxsplit=1)
    return f"{names}: {rest}" if gap else names


def fields(tree: ast.Module, model: str) -> list[Field]:
    """Read the fields of one of a stage's models, inherited ones first, by their outside names."""
    node = next(n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == model)
    inherited = [
        field
        for base in node.bases
        if isinstance(base, ast.Name) and (module := _module_of(tree, base.id))
        for field in fields(ast.parse(module.read_text("utf-8")), base.id)
    ]
    return inherited + [
        Field(
            name=_outside(node) or node.target.id,
            kind=ast.unparse(node.annotation),
            is_optional=node.value is not None and _outside(node) is None,
        )
        for node in node.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]


def _module_of(tree: ast.Module, name: str) -> Path | None:
    """Return the file of the module that a class of the methods is imported from."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
            path = str(node.module).replace(".", "/")
            return ROOT / f"{path}.py" if path.startswith("methods/") else None
    return None


def _outside(node: ast.AnnAssign) -> str | None:
    """Return the alias of a field that pydantic could not hold under its own name."""
    for word in node.value.keywords if isinstance(node.value, ast.Call) else ():
        if word.arg == "alias":
            return str(ast.literal_eval(word.value))
    return None


def _command(stage: str, tree: ast.Module) -> str:
    """Write the command line; an input comes from the stage that makes an output of its name."""
    prefix = "s3://BUCKET/PROBLEM/runs/RUN"
    takes = [
        f"  --take {field.name}={prefix}/{_maker(field.name)}/manifest.json#{field.name}@sha256:HEX"
        for field in fields(tree, "Inputs")
        if not field.is_optional
    ]
    params = "FILE" if fields(tree, "Params") else "'{}'"
    end = f"  --params {params} --out {prefix}/{stage}"
    return " \\\n".join([f"python -m tasks {stage}", *takes, end])


def _maker(name: str) -> str:
    for stage in STAGES:
        if any(field.name == name for field in fields(tree_of(stage), "Outputs")):
            return stage
    message = f"no stage makes {name!r}"
    raise LookupError(message)


def tree_of(stage: str) -> ast.Module:
    """Parse the file of a stage's contract."""
    return ast.parse((ROOT / "tasks" / stage / "task.py").read_text("utf-8"))
