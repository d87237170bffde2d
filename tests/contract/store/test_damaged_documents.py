"""Every kind of document, damaged in every way, by the reader that stages and commands read it with.

DIGEST reader's answer is one sentence that names the key, and exit code 3; it writes nothing.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import pytest
from damage import damages, without
from pydantic import BaseModel
from store_documents import CHAMPION, DIGEST, NOON, VERDICT, manifest, put_manifest

from contract.artifacts import Document, Table
from contract.canonical_json import canonical_json, sha256
from contract.decision import Decision, Window
from contract.expectations import ExpectationSuite
from contract.manifest import Manifest
from contract.problem import Problem, read_problem_text
from contract.run import Replay, Run
from contract.serving_state import Rollout, ServiceAddress
from contract.store.champion_pointer import champion_with_etag, read_champion
from contract.store.client import Store
from contract.store.documents import (
    DamagedDocument,
    parse_document,
    read_artifact,
    read_document,
    read_json_artifact,
)
from contract.store.earlier_runs import earlier_stage, learnt_by_champion, read_replay
from contract.store.layout import (
    ChampionKey,
    DecisionKey,
    Key,
    LedgerKey,
    ManifestKey,
    OutputKey,
    RolloutKey,
    ServiceKey,
    SourceHeadKey,
)
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.reference import Take
from contract.store.source_head import LandedPart, SourceHead, commit, read_head
from contract.verdict import Verdict

P = "p"
DOCUMENT = Document(uri="s3://store/p/y", sha256=DIGEST, bytes=1)
TABLE = Table(uri="s3://store/p/x", sha256=DIGEST, bytes=1, rows=1)
PROBLEM = """
apiVersion: perennial/v1
kind: Problem
name: p
question: Will it rain?
target: {column: rain}
source: {days: {kind: files, path: "*.csv"}}
"""


class Kind(NamedTuple):
    """A kind of document: where it lies, a valid one, and how it is read."""

    key: Callable[[str], Key]
    valid: BaseModel
    read: Callable[[Store, str, str], Any]
    """Of a store, a problem and the key."""
    required: str
    """A field that no version leaves out."""


def _reader(model: type[BaseModel]) -> Callable[[Store, str, str], Any]:
    return lambda store, _, key: read_document(store, key, model)


def _artifact(model: type[BaseModel]) -> Callable[[Store, str, str], Any]:
    """Read as a stage does what an earlier one made, whose sha256 is that of the bytes."""

    def read(store: Store, _: str, key: str) -> Any:
        body = store.get(key)
        artifact = Document(uri=store.uri(key), sha256=sha256(body), bytes=len(body))
        return read_artifact(store, artifact, model)

    return read


def _taken(store: Store, _: str, key: str) -> Any:
    """Read a manifest as `--take` does."""
    uri, digest = store.uri(key), sha256(store.get(key))
    return Take(name="out", manifest=uri, output="out", sha256=digest).resolve(store)


RUN = Run(
    name=P,
    run_id="r1",
    window_start=None,
    window_end=NOON,
    reason="manual",
    force=False,
    salt="s",
    champion=CHAMPION,
)
DECISION = Decision(
    problem=P,
    day=date(2026, 1, 1),
    at=NOON,
    run="m",
    digest=DIGEST,
    verdict="ok",
    reason=None,
    sentence="Nothing moves.",
    next="Nothing.",
    retrain=False,
    suppressed_by=None,
    key=None,
    drift_detected=False,
    alarm=False,
    window=Window(days=(), rows=0, rows_of_day=0),
)
ENTRY = LedgerEntry(
    id="r/deployed",
    kind="deployed",
    at=NOON,
    written=NOON,
    run="r",
    digest=DIGEST,
    reason="Better.",
)
MANIFEST = manifest(ManifestKey(P, "r0", "split"), outputs={"out": TABLE}, facts={"vault_from": 3})
HEAD = SourceHead(generation=1, nonce="n", parts=(LandedPart(run="r", generation=1, table=TABLE),))


def _output(name: str) -> Callable[[str], Key]:
    return lambda problem: OutputKey(problem, "r1", "stage", name)


KINDS = {
    "champion": Kind(ChampionKey, CHAMPION, lambda s, p, _: read_champion(s, p), "digest"),
    "champion to move": Kind(
        ChampionKey, CHAMPION, lambda s, p, _: champion_with_etag(s, p), "nonce"
    ),
    "rollout": Kind(
        RolloutKey, Rollout(digest=DIGEST, nonce="1", at=NOON), _reader(Rollout), "digest"
    ),
    "service address": Kind(
        ServiceKey,
        ServiceAddress(url="http://127.0.0.1:1", pid=1, started=NOON),
        _reader(ServiceAddress),
        "url",
    ),
    "HEAD": Kind(
        lambda p: SourceHeadKey(p, "main"), HEAD, lambda s, p, _: read_head(s, p, "main"), "nonce"
    ),
    "manifest": Kind(lambda p: ManifestKey(p, "r0", "split"), MANIFEST, _taken, "outputs"),
    "manifest of an earlier run": Kind(
        lambda p: ManifestKey(p, "r0", "split"),
        MANIFEST,
        lambda s, p, _: earlier_stage(s, p, "r0", "split"),
        "facts",
    ),
    "split of the champion": Kind(
        lambda p: ManifestKey(p, "r0", "split"),
        MANIFEST,
        lambda s, p, _: learnt_by_champion(s, RUN.model_copy(update={"name": p}), by="time"),
        "facts",
    ),
    "what is replayed": Kind(
        lambda p: ManifestKey(p, "r0", "selection"),
        manifest(ManifestKey(P, "r0", "selection"), outputs={"leaderboard": DOCUMENT}),
        lambda s, p, _: read_replay(s, p, CHAMPION),
        "outputs",
    ),
    "decision": Kind(
        lambda p: DecisionKey(p, date(2026, 1, 1)), DECISION, _reader(Decision), "verdict"
    ),
    "ledger entry": Kind(
        lambda p: LedgerKey(p, 0), ENTRY, lambda s, p, _: Ledger(s, p).entries(), "kind"
    ),
    "a ledger that is written": Kind(
        lambda p: LedgerKey(p, 0), ENTRY, lambda s, p, _: Ledger(s, p).append(ENTRY), "id"
    ),
    "problem": Kind(
        _output("problem-1.json"),
        read_problem_text(PROBLEM, "problem.yaml"),
        _artifact(Problem),
        "name",
    ),
    "run": Kind(_output("run-1.json"), RUN, _artifact(Run), "run_id"),
    "verdict": Kind(_output("verdict-1.json"), VERDICT, _artifact(Verdict), "checks"),
    "suite": Kind(
        _output("expectations-1.json"),
        ExpectationSuite(name="s", expectations=()),
        _artifact(ExpectationSuite),
        "expectations",
    ),
}


def _objects(store: Store, problem: str) -> dict[str, bytes]:
    return {key: store.get(key) for key in store.keys(f"{problem}/")}


@pytest.mark.parametrize("name", KINDS)
def test_a_damaged_document_is_one_sentence(store: Store, problem_name: str, name: str) -> None:
    kind = KINDS[name]
    key = str(kind.key(problem_name))
    body = canonical_json(kind.valid.model_dump(mode="json"))
    another = canonical_json(RUN.model_dump(mode="json")) if name != "run" else CHAMPION.canonical()
    cases = damages(body, another) | {"a field is gone": without(body, kind.required)}
    for what, damaged in cases.items():
        store.put(key, damaged)
        before = _objects(store, problem_name)

        with pytest.raises(DamagedDocument) as caught:
            kind.read(store, problem_name, key)

        sentence = str(caught.value)
        assert key in sentence, what
        assert "\n" not in sentence
        assert len(sentence) < 500, what
        assert sentence.endswith("restore it, or upgrade.")
        assert caught.value.exit_code == 3
        assert _objects(store, problem_name) == before


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_document_is_read(store: Store, problem_name: str, name: str) -> None:
    kind = KINDS[name]
    key = str(kind.key(problem_name))
    store.put(key, canonical_json(kind.valid.model_dump(mode="json")))

    kind.read(store, problem_name, key)


def test_a_damaged_artifact_is_one_sentence_also_where_it_is_any_json(
    store: Store, problem_name: str
) -> None:
    key = str(OutputKey(problem_name, "r1", "stage", "plan-1.json"))
    for body in (b"", b"{", b"\xff\xfe", b"{} {}", b"[" * 100_000):
        store.put(key, body)
        artifact = Document(uri=store.uri(key), sha256=sha256(body), bytes=len(body))

        with pytest.raises(DamagedDocument, match=r"plan-1\.json cannot be read as JSON"):
            read_json_artifact(store, artifact)


def test_an_earlier_output_that_is_no_artifact_is_one_sentence(
    store: Store, problem_name: str
) -> None:
    for value in (None, 3, {"uri": 1}, TABLE.model_dump(mode="json")):
        outputs = {"leaderboard": value, "plan": value}
        for stage in ("selection", "tuning"):
            put_manifest(store, ManifestKey(problem_name, "r0", stage), outputs=outputs)

        with pytest.raises(DamagedDocument, match=r"r0/selection/manifest.json#leaderboard cannot"):
            read_replay(store, problem_name, CHAMPION)


@pytest.mark.parametrize("fact", ["soon", 1.5, True, [3]])
def test_a_vault_that_begins_at_no_time_is_one_sentence(
    store: Store, problem_name: str, fact: object
) -> None:
    put_manifest(store, ManifestKey(problem_name, "r0", "split"), facts={"vault_from": fact})

    with pytest.raises(DamagedDocument, match="vault_from: no whole number"):
        learnt_by_champion(store, RUN.model_copy(update={"name": problem_name}), by="time")


def test_a_manifests_output_of_another_kind_is_one_sentence(
    store: Store, problem_name: str
) -> None:
    key = ManifestKey(problem_name, "r1", "training")
    made = put_manifest(store, key, outputs={"page": TABLE})
    take = Take(
        name="page",
        manifest=store.uri(str(key)),
        output="page",
        sha256=sha256(made.canonical()),
    )

    with pytest.raises(
        DamagedDocument, match=r"training/manifest.json#page cannot be read as Document"
    ):
        take.resolve_artifact(store, Document)


def test_an_empty_head_is_not_taken_for_a_source_that_was_never_collected(
    store: Store, problem_name: str
) -> None:
    """Every field of HEAD.json has a default: read as nothing, all would be collected anew."""
    key = str(SourceHeadKey(problem_name, "main"))
    for damaged in (
        b"{}",
        without(HEAD.canonical(), "nonce"),
        without(HEAD.canonical(), "generation"),
    ):
        store.put(key, damaged)

        with pytest.raises(DamagedDocument, match="generation and nonce"):
            read_head(store, problem_name, "main")


def test_what_was_committed_is_read_with_its_etag(store: Store, problem_name: str) -> None:
    fresh = commit(store, problem_name, "main", HEAD, None)

    head, etag = read_head(store, problem_name, "main")

    assert head == fresh
    assert etag is not None


def test_documents_of_the_version_before_are_read() -> None:
    """`by` came later."""
    old = without(ENTRY.canonical(), "by")
    run = without(RUN.canonical(), "by")

    assert parse_document(old, LedgerEntry, "entry") == ENTRY
    assert parse_document(run, Run, "run") == RUN
    assert Replay.model_fields.keys() == {"run", "leaderboard", "plan"}


def test_a_manifest_of_a_newer_version_is_not_guessed_at() -> None:
    body = canonical_json(MANIFEST.model_dump(mode="json") | {"manifest": 2})

    with pytest.raises(DamagedDocument, match="manifest: Input should be 1"):
        parse_document(body, Manifest, "p/runs/r/s/manifest.json")
