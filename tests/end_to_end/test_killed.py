"""kill -9 in each stage, at a moment that is chosen: run again, it gives the same artifact.

Each stage runs undisturbed once; what it wrote is taken away, it is killed in the middle of its
work or the moment an object of it stands in the store, and runs again with the same words.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from benchmarks.attempts import HALFWAY, KILLED, MOMENTS, NEXT, Kill, StageTrial
from benchmarks.chain import Chain
from contract.champion import Champion
from contract.serving_state import Rollout
from contract.stages import STAGES
from contract.store.client import Store
from contract.store.layout import champion_key, rollout_key
from contract.store.ledger import Ledger
from contract.store.source_head import read_head

pytestmark = pytest.mark.slow

# One moment for a stage that only writes into its own folder, the cheaper one where work is long;
# every change of the others. `make bench-kills` tries every moment on every stage.
KILLS: Mapping[str, tuple[Kill | float, ...]] = {
    **dict.fromkeys(("problem", "preprocessing", "split", "training", "evaluation"), (NEXT,)),
    **dict.fromkeys(("validation", "exploration", "selection", "tuning"), (HALFWAY,)),
    **{stage: MOMENTS[stage][1:] for stage in ("collection", "deployment", "monitoring")},
}
# What holds a measurement: seconds of candidates under a CPU budget, milliseconds of an answer.
MEASURED: Mapping[str, set[str]] = {
    "selection": {"leaderboard", "page"},
    "tuning": {"plan", "journal", "page"},
    "evaluation": {"verdict", "page"},
    "deployment": {"deployed", "page"},
}
WINES = 178


@pytest.fixture(scope="module")
def chain(
    store: Store,
    store_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("chain")
    with Chain(store, store_environment, "killed-wine", folder) as made:
        yield made


@pytest.fixture(scope="module")
def trials(chain: Chain) -> dict[str, StageTrial]:
    return {trial.stage: trial for trial in chain.try_all(KILLS)}


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_stage_is_run_again_to_its_end(trials: dict[str, StageTrial], stage: str) -> None:
    trial = trials[stage]

    assert {KILLED} == {death.attempt.code for death in trial.deaths}
    assert 0 == trial.again.code, trial.again.output


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_stage_left_no_manifest(trials: dict[str, StageTrial], stage: str) -> None:
    left = {key for death in trials[stage].deaths for key in death.left}

    assert [] == [key for key in left if key.endswith(f"/{stage}/manifest.json")]


@pytest.mark.parametrize("stage", STAGES)
def test_the_outputs_are_those_of_an_undisturbed_run(
    trials: dict[str, StageTrial], stage: str
) -> None:
    trial = trials[stage]

    assert trial.differing <= MEASURED.get(stage, set())
    assert trial.undisturbed_manifest["outcome"] == trial.manifest["outcome"]
    assert trial.undisturbed_manifest["code"] == trial.manifest["code"]


@pytest.mark.parametrize("stage", sorted(set(STAGES) - MEASURED.keys()))
def test_nothing_is_in_the_store_that_an_undisturbed_run_would_not_leave(
    trials: dict[str, StageTrial], stage: str
) -> None:
    assert trials[stage].undisturbed_keys == trials[stage].keys


def test_each_stage_has_one_manifest(chain: Chain, trials: dict[str, StageTrial]) -> None:
    found = sorted(key for key in chain.objects() if key.startswith(f"{chain.problem}/runs/run/"))

    expected = sorted(set(STAGES) - {"monitoring"})
    assert expected == [key.split("/")[3] for key in found if key.endswith("/manifest.json")]


def test_the_next_stage_goes_on_with_what_the_manifest_names(
    trials: dict[str, StageTrial],
) -> None:
    """A killed selection or tuning leaves nothing that a later stage could take for the result."""
    for maker, output, taker in (
        ("selection", "leaderboard", "tuning"),
        ("tuning", "plan", "training"),
    ):
        assert trials[maker].manifest["outputs"][output] == trials[taker].manifest["inputs"][output]


def test_each_row_was_collected_once(chain: Chain, trials: dict[str, StageTrial]) -> None:
    head = read_head(chain.store, chain.problem, "bottles")[0]

    assert [("run", WINES)] == [(part.run, part.table.rows) for part in head.parts]
    parts = [key for key in chain.objects() if "/raw/bottles/runs/" in key]
    assert [chain.store.key(part.table.uri) for part in head.parts] == parts


def test_one_deployment_stands_in_the_ledger(chain: Chain, trials: dict[str, StageTrial]) -> None:
    entries = Ledger(chain.store, chain.problem).entries()

    deployed = [entry for entry in entries if entry.kind == "deployed"]
    digest = trials["training"].manifest["facts"]["digest"]
    assert [("run/deployed", digest)] == [(entry.id, entry.digest) for entry in deployed]
    assert len(entries) == len({entry.id for entry in entries})


def test_one_model_is_champion_and_served(chain: Chain, trials: dict[str, StageTrial]) -> None:
    champion = Champion.model_validate_json(chain.store.get(champion_key(chain.problem)))
    rollout = Rollout.model_validate_json(chain.store.get(rollout_key(chain.problem)))

    digest = trials["training"].manifest["facts"]["digest"]
    assert (digest, "run") == (champion.digest, champion.run)
    assert digest == rollout.digest


def test_each_day_was_decided_once(chain: Chain, trials: dict[str, StageTrial]) -> None:
    days = sorted(key.split("/")[2] for key in chain.objects() if key.endswith("/decision.json"))

    assert len(set(days)) == len(days)
    told: dict[str, Any] = json.loads(
        chain.store.get(f"{chain.problem}/monitoring/{days[-1]}/decision.json")
    )
    assert trials["monitoring"].manifest["facts"]["day"] == told["day"]
    assert WINES == told["window"]["rows_of_day"]
