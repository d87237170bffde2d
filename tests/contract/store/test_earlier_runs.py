"""What the champion's run made is found by name; what is gone is None, or refused where it must be known."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from store_documents import put_manifest

from contract.artifacts import Bundle, Document
from contract.champion import Champion
from contract.errors import Refused
from contract.recipe import Recipe
from contract.run import Replay, Run
from contract.store.client import Store
from contract.store.earlier_runs import Learnt, learnt_by_champion, read_replay, recipe_of_champion
from contract.store.layout import ManifestKey, stage_prefix
from contract.store.writer import Out

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHAMPION = Champion(digest="a" * 64, run="r0", verdict=None, since=NOW, nonce="1")


def run_of(problem: str, champion: Champion | None = CHAMPION) -> Run:
    return Run(
        name=problem,
        run_id="r1",
        window_start=None,
        window_end=NOW,
        reason="manual",
        force=False,
        salt="s",
        champion=champion,
    )


def document(name: str) -> Document:
    return Document(uri=f"s3://store/{name}.json", sha256="b" * 64, bytes=2)


def test_the_vault_begins_where_the_champions_split_had_it(store: Store, problem_name: str) -> None:
    put_manifest(store, ManifestKey(problem_name, "r0", "split"), facts={"vault_from": 7})

    assert learnt_by_champion(store, run_of(problem_name), by="time") == Learnt(
        until=7, twin_until=7
    )


def test_without_a_champion_no_vault_is_known(store: Store, problem_name: str) -> None:
    assert learnt_by_champion(store, run_of(problem_name, None), by="time") == Learnt()
    assert recipe_of_champion(store, run_of(problem_name, None)) is None


def test_a_split_without_a_time_has_no_begin_of_its_vault(store: Store, problem_name: str) -> None:
    put_manifest(store, ManifestKey(problem_name, "r0", "split"))

    assert learnt_by_champion(store, run_of(problem_name), by="hash") == Learnt()


def test_a_champion_whose_split_is_gone_is_refused(store: Store, problem_name: str) -> None:
    with pytest.raises(Refused, match="The split of the run 'r0', which made the serving model"):
        learnt_by_champion(store, run_of(problem_name), by="time")


def test_without_a_time_a_split_that_is_gone_forbids_nothing(
    store: Store, problem_name: str
) -> None:
    assert learnt_by_champion(store, run_of(problem_name), by="hash") == Learnt()


def test_a_champion_with_a_twin_has_learnt_more_than_its_twin(
    store: Store, problem_name: str
) -> None:
    put_manifest(store, ManifestKey(problem_name, "r0", "split"), facts={"vault_from": 7})
    put_manifest(
        store,
        ManifestKey(problem_name, "r0", "training"),
        outputs={"twin": Bundle(uri="s3://store/twin", sha256="c" * 64, bytes=1)},
        facts={"learnt_until": 12, "twin_learnt_until": 10},
    )

    found = learnt_by_champion(store, run_of(problem_name), by="time")

    assert found == Learnt(until=12, twin_until=10, twin="c" * 64)


def test_nobody_wrote_down_how_an_earlier_champion_was_made(
    store: Store, problem_name: str
) -> None:
    assert recipe_of_champion(store, run_of(problem_name)) is None
    put_manifest(store, ManifestKey(problem_name, "r0", "training"))

    assert recipe_of_champion(store, run_of(problem_name)) is None


def test_the_champions_recipe_is_read_again(
    store: Store, problem_name: str, tmp_path: Path
) -> None:
    recipe = Recipe(answer="refit", shipped="a" * 64, twin="b" * 64, since=7, refits=3)
    out = Out(store, stage_prefix(problem_name, "r0", "training"), tmp_path)
    put_manifest(
        store,
        ManifestKey(problem_name, "r0", "training"),
        outputs={"recipe": out.document("recipe", recipe)},
    )

    assert recipe_of_champion(store, run_of(problem_name)) == recipe


def test_what_the_champions_search_found_is_replayed(store: Store, problem_name: str) -> None:
    for stage, output in (("selection", "leaderboard"), ("tuning", "plan")):
        key = ManifestKey(problem_name, "r0", stage)
        put_manifest(store, key, outputs={output: document(output)})

    assert read_replay(store, problem_name, CHAMPION) == Replay(
        run="r0", leaderboard=document("leaderboard"), plan=document("plan")
    )


def test_nothing_is_replayed_where_a_stage_is_gone(store: Store, problem_name: str) -> None:
    key = ManifestKey(problem_name, "r0", "selection")
    put_manifest(store, key, outputs={"leaderboard": document("leaderboard")})

    assert read_replay(store, problem_name, CHAMPION) is None


def test_before_the_first_champion_nothing_is_replayed(store: Store, problem_name: str) -> None:
    assert read_replay(store, problem_name, None) is None
