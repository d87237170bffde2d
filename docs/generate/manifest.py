"""Make `docs/manifest.md`: the documents that stand in the store, from the models' own words."""

import ast
import inspect
import textwrap
from collections.abc import Iterator

from pydantic import BaseModel

from contract import artifacts, champion, decision, drift, faults, verdict
from contract import manifest as manifests
from contract import run as runs
from contract import serving_state as rollout
from contract.store import ledger, source_head
from contract.store.key import FAMILIES
from docs.generate.markdown import page as page_of
from docs.generate.markdown import sentences, table

INTRODUCTION = """# The manifest, and the other documents of the store

Everything that a run leaves behind is bytes in the store that never change, named by a URI and the sha256 of the bytes.
`manifest.json` is written last, by a conditional put: its presence is success.
Documents are canonical JSON: keys sorted, no spaces, so that equal values have equal digests.
Times are ISO 8601 with a zone.

A change to the manifest is breaking: its version is raised, and the older one stays readable."""
EXIT_CODES = """## Exit codes

| code | meaning | in Airflow |
| --- | --- | --- |
| 0 | made everything; the manifest is written | success |
| 2 | invalid request: inputs, parameters or problem file do not validate | failed, not tried again |
| 3 | refused: data or model are not good enough | failed, not tried again |
| 75 | try again: storage or network are away | tried three times |
| other | a bug, with its traceback | failed, not tried again |

A process that was killed from outside is tried again like 75."""
MODELS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("`PROBLEM/runs/RUN/STAGE/manifest.json`", manifests.Manifest),
    ("`$STAGE_RESULT`, Airflow's XCom", manifests.Result),
    ("an output", artifacts.Artifact),
    ("an output that is a table", artifacts.Table),
    ("the run, an output of `problem`", runs.Run),
    ("the gate's word, an output of `evaluation`", verdict.Verdict),
    ("one question of the gate", verdict.Check),
    ("`PROBLEM/monitoring/YYYY-MM-DD/decision.json`", decision.Decision),
    ("one column of a decision", drift.ColumnDrift),
    ("a check of the data that did not pass", faults.Fault),
    ("`PROBLEM/champion.json`", champion.Champion),
    ("`PROBLEM/rollout.json`", rollout.Rollout),
    ("`PROBLEM/service.json`", rollout.ServiceAddress),
    ("`PROBLEM/raw/SOURCE/HEAD.json`", source_head.SourceHead),
    ("`PROBLEM/ledger/NNNNNNNN.json`", ledger.LedgerEntry),
)


KEYS = """## Keys

Every object of the store, and how long `perennial gc` keeps it. What is of no family here stays."""


def page() -> str:
    """Return the page."""
    documents = [_section(place, model) for place, model in MODELS]
    return page_of(INTRODUCTION, f"{KEYS}\n\n{_keys()}", *documents, EXIT_CODES)


def _keys() -> str:
    """Return the table of the families of keys."""
    rows = [
        [
            f"`{family.template}`",
            sentences(inspect.cleandoc(family.__doc__ or "")),
            family.retention.value,
        ]
        for family in FAMILIES
    ]
    return table(["key", "what it is", "is kept"], rows)


def _section(place: str, model: type[BaseModel]) -> str:
    told = sentences(inspect.cleandoc(model.__doc__ or ""))
    rows = [[f"`{name}`", f"`{kind}`", words] for name, kind, words in _fields(model)]
    fields = table(["field", "type", "meaning"], rows)
    return f"## {model.__name__}: {place}\n\n{told}\n\n{fields}"


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    """Read name, type and docstring of each field from the source, own fields after inherited."""
    for base in model.__bases__:
        if issubclass(base, artifacts.Artifact):
            yield from _fields(base)
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    if not isinstance(body, ast.ClassDef):
        message = f"{model.__name__} is not a class"
        raise TypeError(message)
    for field, follower in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            yield field.target.id, ast.unparse(field.annotation), _docstring(follower)


def _docstring(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return str(node.value.value)
    return ""
