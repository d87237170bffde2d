"""Which model served at a moment, from the ledger, and the verdict that let it in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from store_documents import VERDICT, put_manifest

from contract.store.client import Store
from contract.store.layout import ManifestKey, stage_prefix
from contract.store.ledger import Kind, LedgerEntry
from contract.store.service_history import served_at, verdict_of
from contract.store.writer import Out

START = datetime(2013, 5, 1, tzinfo=UTC)
OLD, NEW = "a" * 64, "b" * 64


def entry(day: int, kind: Kind, digest: str) -> LedgerEntry:
    at = START + timedelta(days=day)
    return LedgerEntry(
        id=f"{day}/{kind}", kind=kind, at=at, written=at, run="first", digest=digest, reason="So."
    )


ENTRIES = [
    entry(0, "deployed", OLD),
    entry(1, "refused", NEW),
    entry(2, "deployed", NEW),
    entry(2, "rollback", OLD),
]


def test_nobody_served_before_the_first_deployment() -> None:
    assert served_at(ENTRIES, START - timedelta(seconds=1)) is None


def test_a_model_serves_until_the_next_one() -> None:
    served = served_at(ENTRIES, START + timedelta(days=1))

    assert served is not None
    assert (served.digest, served.since) == (OLD, START)
    assert served.until == START + timedelta(days=2)


def test_the_last_entry_of_a_moment_counts() -> None:
    served = served_at(ENTRIES, START + timedelta(days=2))

    assert served is not None
    assert (served.digest, served.until) == (OLD, None)


def test_the_verdict_is_that_of_the_run(store: Store, problem_name: str, tmp_path: Path) -> None:
    out = Out(store, stage_prefix(problem_name, "first", "evaluation"), tmp_path)
    verdict = out.document("verdict", VERDICT)
    key = ManifestKey(problem_name, "first", "evaluation")
    served = served_at(ENTRIES, START)
    assert served is not None
    assert verdict_of(store, problem_name, served) is None

    put_manifest(store, key, outputs={"verdict": verdict})

    assert verdict_of(store, problem_name, served) == VERDICT
