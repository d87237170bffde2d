"""What a model answered the world is counted by model, and what a deployment asked is not."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from bundle_factory import ROW, Made
from service_process import Service, move_pointer

from contract.service_protocol import CANARY, FEEDBACK, INFO, METRICS, PREDICT, PREDICT_BATCH
from contract.serving_state import Tally
from contract.store.client import Store
from serving.tallies import COUNTED_ROWS, KEPT_MODELS, Tallies, cells


def tally(service: Service, digest: str) -> Tally | None:
    found = service.ask("GET", INFO).json["models"].get(digest)
    return Tally.model_validate(found) if found else None


@pytest.mark.slow  # a service takes seconds to start
def test_answers_are_counted_by_model_and_a_deployments_are_not(
    start: Callable[..., Service], make: Callable[..., Made], store: Store, problem_name: str
) -> None:
    old, new = make("old"), make("new", bias=0.5)
    move_pointer(store, problem_name, old.digest)
    service = start()
    service.wait_until_ready()
    ours = service.headers | {CANARY: "1"}

    assert service.ask("POST", PREDICT, ROW, ours).status == 200
    assert tally(service, old.digest) is None
    for body in (ROW, ROW, {"age": "x"}):
        service.ask("POST", PREDICT, body)
    service.ask("POST", PREDICT_BATCH, {"rows": [ROW] * (COUNTED_ROWS + 5)})
    service.ask("POST", PREDICT, ROW, {})
    service.ask("POST", FEEDBACK, {"request_id": "x", "label": 1})
    move_pointer(store, problem_name, new.digest)
    service.wait_until_serving(new.digest)
    service.ask("POST", PREDICT, ROW)

    counted = tally(service, old.digest)
    assert counted is not None
    assert counted.statuses == {200: 3, 422: 1}
    assert sum(counted.seconds) == 4
    assert sum(counted.scores.values()) == 2 + COUNTED_ROWS
    assert tally(service, new.digest) is not None
    text = service.ask("GET", METRICS).body.decode()
    assert f'perennial_model_answers_total{{digest="{old.digest}",status="200"}} 3' in text
    assert f'perennial_model_seconds_count{{digest="{new.digest}"}} 1' in text
    assert service.stop() == 0


def test_only_the_newest_models_are_kept() -> None:
    tallies = Tallies()
    for name in ("a", "b", "c", "d"):
        served: Any = SimpleNamespace(digest=name)
        tallies.add(served, 503, 0.1, None)

    assert list(tallies.by_digest()) == ["b", "c", "d"]
    assert len(tallies.by_digest()) == KEPT_MODELS


def test_cells_ascend_with_the_score() -> None:
    shares = [0.0, 1e-6, 0.01, 0.2, 0.5, 0.8, 0.99, 1.0]
    values = [-1e6, -3.0, -1.0, 0.0, 1.0, 3.0, 1e6]

    assert list(cells("binary", shares)) == sorted(set(cells("binary", shares)))
    assert list(cells("regression", values)) == sorted(set(cells("regression", values)))
