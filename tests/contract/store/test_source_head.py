"""A head names what is committed of a source, and what was at an earlier generation."""

import pytest

from contract.artifacts import Table
from contract.errors import Conflict
from contract.store.client import Store
from contract.store.source_head import LandedPart, SourceHead, commit, read_head

TABLE = Table(uri="s3://store/p.parquet", sha256="a" * 64, bytes=1, rows=3)
PARTS = tuple(LandedPart(run=f"r{n}", generation=n, table=TABLE) for n in (1, 2))
HEAD = SourceHead(generation=2, nonce="1", watermark="9", parts=PARTS)


def test_before_the_first_load_nothing_is_committed(store: Store, problem_name: str) -> None:
    assert read_head(store, problem_name, "rows") == (SourceHead(), None)


def test_of_two_loads_at_once_one_commits(store: Store, problem_name: str) -> None:
    commit(store, problem_name, "rows", HEAD, None)

    with pytest.raises(Conflict):
        commit(store, problem_name, "rows", HEAD, None)


def test_equal_states_differ_in_their_nonce(store: Store, problem_name: str) -> None:
    first = commit(store, problem_name, "rows", HEAD, None)
    head, etag = read_head(store, problem_name, "rows")

    second = commit(store, problem_name, "rows", head, etag)

    assert head == first
    assert first.nonce != second.nonce
    assert first == second.model_copy(update={"nonce": first.nonce})


def test_a_run_finds_the_generation_that_it_committed() -> None:
    assert [HEAD.generation_of(run) for run in ("r1", "r2", "r3")] == [1, 2, None]


def test_an_earlier_generation_has_no_later_part() -> None:
    earlier = HEAD.until(1)

    assert (earlier.generation, earlier.parts) == (1, PARTS[:1])
    assert HEAD.until(2) == HEAD
