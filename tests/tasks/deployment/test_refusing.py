"""Without a verdict for this model against this champion nothing moves: the gate fails closed."""

from collections.abc import Callable
from typing import Any

import pytest
from bundle_factory import Made

OTHER = "f" * 64


def refusal(check: str) -> dict[str, object]:
    return {
        "verdict": "refused",
        "checks": [{"name": "size", "passed": False, "why": check}],
        "reasons": [check],
    }


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        (refusal("The model has 300 MB."), "The verdict is 'refused' (The model has 300 MB.)"),
        ({"judged": OTHER}, f"The verdict judged the model {OTHER[:12]}"),
        ({"baseline": OTHER, "rule": "superior"}, f"The verdict compared with {OTHER[:12]}"),
        ({"verdict": "fine"}, "The verdict cannot be read"),
        ({"score": "NaN"}, "The verdict cannot be read"),
    ],
)
def test_a_verdict_that_does_not_fit_is_refused(
    ground: Any, make: Callable[..., Made], verdict: dict[str, object], why: str
) -> None:
    code, result = ground.deploy(make("new"), verdict=verdict)

    assert code == 3
    assert result["why"].startswith(why)
    assert ground.champion is None
    assert list(ground.store.keys(f"{ground.problem}/rollout.json")) == []
    assert ground.ledger == []


def test_a_champion_that_came_since_the_verdict_is_not_replaced(
    ground: Any, make: Callable[..., Made]
) -> None:
    old, new = make("old"), make("new", bias=0.5)
    ground.set_champion(old)

    code, result = ground.deploy(new, verdict={"baseline": None, "rule": "first"})

    assert code == 3
    assert result["why"] == (
        f"The verdict compared with no champion and {old.digest[:12]} is the champion now; "
        "have the model judged against it."
    )
    assert ground.champion == old.digest


def test_a_champion_that_cannot_be_read_is_not_replaced(
    ground: Any, make: Callable[..., Made]
) -> None:
    made = make("new")
    ground.deploy(made, "run-0", verdict=refusal("No."))
    ground.store.put(f"{ground.problem}/champion.json", b"{}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(ground), "champion", None)
        code, result = ground.deploy(made)

    assert code == 3
    assert "champion.json cannot be read as Champion" in result["why"]


@pytest.mark.parametrize("name", ["PERENNIAL_API_KEY", "PERENNIAL_VERIFY_KEYS"])
def test_a_missing_key_is_an_invalid_request(
    ground: Any, make: Callable[..., Made], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name)

    code, result = ground.deploy(make("new"))

    assert code == 2
    assert result["why"].startswith(f"{name} is not set")
