"""A stage beside a damaged document: one sentence that names its key, exit 3, no manifest."""

from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from damage import damages
from store_documents import CHAMPION, DIGEST, NOON, VERDICT, put_manifest

from bundle import signing
from contract.artifacts import Bundle, Document, Table
from contract.canonical_json import canonical_json, sha256
from contract.errors import InvalidRequest
from contract.problem import read_problem_text
from contract.run import Run
from contract.runtime.task import Task
from contract.stages import STAGES
from contract.store.client import Store
from contract.store.documents import DamagedDocument
from contract.store.layout import (
    ChampionKey,
    DecisionKey,
    Key,
    LedgerKey,
    ManifestKey,
    OutputKey,
    SourceHeadKey,
    bundle_prefix,
    stage_prefix,
)
from contract.store.reference import Take

READERS = [stage for stage in STAGES if stage != "problem"]


class Ground:
    """A run of a problem whose first stage is done; what it made can be damaged."""

    def __init__(self, store: Store, problem: str) -> None:
        text = (
            f"apiVersion: perennial/v1\nkind: Problem\nname: {problem}\nquestion: Rain?\n"
            "target: {column: rain}\nsource: {days: {kind: files, path: '*.csv'}}\n"
        )
        run = Run(
            name=problem,
            run_id="r1",
            window_start=None,
            window_end=NOON,
            reason="manual",
            force=False,
            salt="s",
            champion=CHAMPION,
        )
        self.store, self.problem = store, problem
        self.bodies = {
            "problem": canonical_json(
                read_problem_text(text, "problem.yaml").model_dump(mode="json")
            ),
            "run": canonical_json(run.model_dump(mode="json")),
            "verdict": canonical_json(VERDICT.model_dump(mode="json")),
        }

    def document(self, name: str, body: bytes) -> Document:
        key = str(OutputKey(self.problem, "r1", "problem", f"{name}-1.json"))
        self.store.put(key, body)
        return Document(uri=self.store.uri(key), sha256=sha256(body), bytes=len(body))

    def takes(self, task: "Task[Any, Any, Any]", documents: dict[str, Document]) -> list[Take]:
        """Return a `--take` for each input; of what no document is given, there is nothing."""
        absent: dict[type, Any] = {
            Document: Document(uri=self.store.uri("no/document"), sha256=DIGEST, bytes=1),
            Table: Table(uri=self.store.uri("no/table"), sha256=DIGEST, bytes=1, rows=1),
            Bundle: Bundle(
                uri=self.store.uri(bundle_prefix(self.problem, DIGEST)), sha256=DIGEST, bytes=1
            ),
        }
        outputs = {}
        for name, field in task.inputs.model_fields.items():
            kind, of = get_origin(field.annotation), get_args(field.annotation)
            if kind is dict:
                made = {"one": absent[of[1]]}
            else:  # where it may be absent, its own kind is named first
                made = absent[of[0] if of else field.annotation]
            outputs[name] = documents.get(name, made)
        plain = {
            name: value.model_dump(mode="json")
            if not isinstance(value, dict)
            else {key: one.model_dump(mode="json") for key, one in value.items()}
            for name, value in outputs.items()
        }
        key = ManifestKey(self.problem, "r1", "problem")
        digest = sha256(put_manifest(self.store, key, outputs=plain).canonical())
        uri = self.store.uri(str(key))
        return [
            Take(name=name, manifest=uri, output=name, sha256=digest)
            for name in task.inputs.model_fields
        ]

    def run(self, stage: str, **damaged: bytes) -> None:
        task: Task[Any, Any, Any] = import_module(f"tasks.{stage}.task").task
        bodies = self.bodies | damaged
        documents = {name: self.document(name, body) for name, body in bodies.items()}
        uri = self.store.uri(stage_prefix(self.problem, "r1", stage))
        task.carry_out(self.store, self.takes(task, documents), {}, uri)


@pytest.fixture
def ground(
    store: Store, problem_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Ground:
    """A run whose environment has all that a stage looks for before it reads."""
    key = tmp_path / "key.pem"
    key.write_bytes(signing.new_key())
    monkeypatch.setenv("PERENNIAL_SIGNING_KEY", str(key))
    return Ground(store, problem_name)


def check_ends(ground: Ground, stage: str, key: str, **damaged: bytes) -> None:
    with pytest.raises(DamagedDocument) as caught:
        ground.run(stage, **damaged)

    assert key in str(caught.value)
    assert "\n" not in str(caught.value)
    done = str(ManifestKey(ground.problem, "r1", stage))
    assert ground.store.head(done) is None


@pytest.mark.parametrize("name", ["problem", "run"])
@pytest.mark.parametrize("stage", READERS)
def test_a_stage_ends_at_a_damaged_document(ground: Ground, stage: str, name: str) -> None:
    another = canonical_json(CHAMPION.model_dump(mode="json"))
    for damaged in damages(ground.bodies[name], another).values():
        check_ends(ground, stage, f"/r1/problem/{name}-1.json", **{name: damaged})


@pytest.mark.parametrize("stage", READERS)
def test_a_document_that_was_changed_afterwards_is_an_invalid_request(
    ground: Ground, stage: str
) -> None:
    """The sha256 in the manifest no longer fits: a document is not read by halves."""
    task: Task[Any, Any, Any] = import_module(f"tasks.{stage}.task").task
    documents = {name: ground.document(name, body) for name, body in ground.bodies.items()}
    takes = ground.takes(task, documents)
    ground.document("problem", b"{}")

    with pytest.raises(InvalidRequest, match=r"problem-1\.json have the sha256 44136fa355b3…"):
        task.carry_out(
            ground.store,
            takes,
            {},
            ground.store.uri(stage_prefix(ground.problem, "r1", stage)),
        )


@pytest.mark.parametrize("stage", READERS)
def test_a_damaged_manifest_of_the_stage_itself_is_not_taken_for_done(
    ground: Ground, stage: str
) -> None:
    key = str(ManifestKey(ground.problem, "r1", stage))
    for damaged in damages(b'{"task":"x"}').values():
        ground.store.put(key, damaged)

        with pytest.raises(DamagedDocument, match=key):
            ground.run(stage)

        assert ground.store.get(key) == damaged


@pytest.mark.parametrize(
    ("stage", "key_of"),
    [
        ("collection", lambda p: SourceHeadKey(p, "days")),
        ("deployment", ChampionKey),
        ("deployment", lambda p: LedgerKey(p, 0)),
        ("monitoring", lambda p: LedgerKey(p, 0)),
        ("monitoring", lambda p: DecisionKey(p, date(2026, 1, 1))),
    ],
    ids=["HEAD", "champion", "ledger", "ledger of monitoring", "decision"],
)
def test_a_stage_ends_at_a_damaged_document_of_the_problem(
    ground: Ground, stage: str, key_of: Any
) -> None:
    key: Key = key_of(ground.problem)
    for damaged in damages(CHAMPION.canonical(), b'{"another":"kind"}').values():
        ground.store.put(str(key), damaged)

        check_ends(ground, stage, str(key))

        assert ground.store.get(str(key)) == damaged
