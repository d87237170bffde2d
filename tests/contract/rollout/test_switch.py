"""The switch keeps its order with any strategy: it decides, goes back, or leaves all for a second try."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from contract.champion import Champion
from contract.errors import Conflict, Refused, TryAgain
from contract.rollout.pointer import PointerTarget
from contract.rollout.strategy import Attempt
from contract.rollout.switch import Change, SwitchResult, current_champion, switch
from contract.store.champion_pointer import read_champion, set_champion
from contract.store.client import Store
from contract.store.documents import DamagedDocument
from contract.store.layout import champion_key
from contract.store.ledger import Ledger, LedgerEntry

OLD, NEW, OTHER = "a" * 64, "b" * 64, "c" * 64
NOW = datetime(2024, 6, 1, tzinfo=UTC)


@dataclass
class Mirrored:
    """As a strategy `shadow` would be: it compares on mirrored requests before it rolls out."""

    target: PointerTarget
    failure: str | None = None
    """Of the comparison."""
    is_final: bool = False
    meanwhile: Callable[[], None] = lambda: None
    """What others do while it is at work."""
    locked: bool = False
    acts: list[str] = field(default_factory=list)

    def begin(self) -> None:
        if self.locked:
            raise Conflict("Another run has the shadow.")
        self.acts.append("begin")

    def bring_into_service(self) -> Attempt[int]:
        self.acts.append("compare")
        self.meanwhile()
        if self.failure is None:
            self.target.roll_out(NEW, NOW)
        return Attempt(1000, self.failure, self.is_final)

    def end(self) -> None:
        self.acts.append("end")


@dataclass
class Ground:
    """A problem whose champion is `OLD`."""

    store: Store
    problem: str

    @property
    def target(self) -> PointerTarget:
        return PointerTarget(self.store, self.problem, lambda _: None)

    def champion(self, digest: str, run: str = "run-1") -> Champion:
        return Champion(digest=digest, run=run, verdict=None, since=NOW, nonce=f"{run}{digest}")

    def change(self, *, is_champion: bool = False) -> Change:
        return Change(
            problem=self.problem,
            digest=NEW,
            at=NOW,
            current=current_champion(self.store, self.problem),
            champion=None if is_champion else self.champion(NEW, "run-2"),
        )

    def switch(self, strategy: Mirrored, change: Change | None = None) -> SwitchResult[int]:
        return switch(
            self.store, self.target, change or self.change(), strategy, lambda a: entry(a.failure)
        )

    @property
    def state(self) -> tuple[str | None, str | None, list[str]]:
        """The champion, the rollout, and the kinds of the ledger's entries."""
        champion = read_champion(self.store, self.problem)
        kinds = [line.kind for line in Ledger(self.store, self.problem).entries()]
        return champion.digest if champion else None, self.target.rolled_out(), list(kinds)


def entry(failure: str | None) -> LedgerEntry:
    kind = "deployed" if failure is None else "returned"
    return LedgerEntry(
        id=f"run-2/{kind}",
        kind=kind,  # type: ignore[arg-type] # one of the two
        at=NOW,
        written=NOW,
        run="run-2",
        digest=NEW,
        previous=OLD,
        reason=failure or "better",
    )


@pytest.fixture
def ground(store: Store, problem_name: str) -> Ground:
    begun = Ground(store, problem_name)
    set_champion(store, problem_name, begun.champion(OLD), None)
    begun.target.roll_out(OLD, NOW)
    return begun


def test_a_model_that_passes_serves_is_champion_and_in_the_ledger(ground: Ground) -> None:
    strategy = Mirrored(ground.target)

    result = ground.switch(strategy)

    assert (result.attempt, result.serves, result.entry) == (Attempt(1000), NEW, 0)
    assert ground.state == (NEW, NEW, ["deployed"])
    assert strategy.acts == ["begin", "compare", "end"]


def test_a_model_that_fails_leaves_the_champion_and_a_line(ground: Ground) -> None:
    strategy = Mirrored(ground.target, failure="It answers otherwise.")

    result = ground.switch(strategy)

    assert (result.attempt, result.serves) == (Attempt(1000, "It answers otherwise."), OLD)
    assert ground.state == (OLD, OLD, ["returned"])
    assert strategy.acts == ["begin", "compare", "end"]


def test_a_first_model_that_fails_leaves_no_model(store: Store, problem_name: str) -> None:
    ground = Ground(store, problem_name)

    result = ground.switch(Mirrored(ground.target, failure="It is slow."))

    assert result.serves is None
    assert ground.state == (None, None, ["returned"])


def test_what_another_run_has_is_left_alone(ground: Ground) -> None:
    strategy = Mirrored(ground.target, locked=True)

    with pytest.raises(Conflict, match="Another run has the shadow"):
        ground.switch(strategy)

    assert ground.state == (OLD, OLD, [])
    assert strategy.acts == []


def test_a_champion_that_is_moved_meanwhile_is_served(ground: Ground) -> None:
    def by_hand() -> None:
        etag = current_champion(ground.store, ground.problem).etag
        set_champion(ground.store, ground.problem, ground.champion(OTHER, "by hand"), etag)

    result = ground.switch(Mirrored(ground.target, meanwhile=by_hand))

    assert result.serves == OTHER
    assert "Another writer changed" in str(result.attempt.failure)
    assert ground.state == (OTHER, OTHER, ["returned"])


@pytest.mark.parametrize("act", ["compare", "swap", "ledger"])
def test_a_switch_that_is_lost_anywhere_ends_right_when_tried_again(
    ground: Ground, act: str
) -> None:
    """`act` is the last thing that the first try did."""
    ground.target.roll_out(NEW, NOW)
    if act != "compare":
        change = ground.change()
        assert change.champion is not None
        set_champion(ground.store, ground.problem, change.champion, change.current.etag)
    if act == "ledger":
        Ledger(ground.store, ground.problem).append(entry(None))

    ground.switch(Mirrored(ground.target), ground.change(is_champion=act != "compare"))

    assert ground.state == (NEW, NEW, ["deployed"])


def test_a_champion_whose_service_fails_is_tried_again_and_not_taken_back(ground: Ground) -> None:
    change = ground.change()
    assert change.champion is not None
    set_champion(ground.store, ground.problem, change.champion, change.current.etag)
    ground.target.roll_out(NEW, NOW)

    with pytest.raises(TryAgain, match="The service is away"):
        ground.switch(
            Mirrored(ground.target, failure="The service is away."), ground.change(is_champion=True)
        )

    assert ground.state == (NEW, NEW, [])


def test_a_champion_that_its_service_refuses_is_not_tried_again(ground: Ground) -> None:
    change = ground.change()
    assert change.champion is not None
    set_champion(ground.store, ground.problem, change.champion, change.current.etag)
    ground.target.roll_out(NEW, NOW)
    strategy = Mirrored(ground.target, failure="The bundle is damaged.", is_final=True)

    with pytest.raises(Refused, match="The bundle is damaged"):
        ground.switch(strategy, ground.change(is_champion=True))

    assert ground.state == (NEW, NEW, [])


def test_a_champion_that_cannot_be_read_stops_the_switch_before_it_begins(ground: Ground) -> None:
    ground.store.put(champion_key(ground.problem), b"{}")
    strategy = Mirrored(ground.target)

    with pytest.raises(DamagedDocument, match=r"champion\.json cannot be read as Champion"):
        ground.switch(strategy)

    assert strategy.acts == []
    assert ground.target.rolled_out() == OLD


def test_a_champion_that_is_damaged_meanwhile_is_never_overwritten(ground: Ground) -> None:
    def damage() -> None:
        ground.store.put(champion_key(ground.problem), b"{}")

    with pytest.raises(DamagedDocument):
        ground.switch(Mirrored(ground.target, meanwhile=damage))

    assert ground.store.get(champion_key(ground.problem)) == b"{}"
    assert Ledger(ground.store, ground.problem).entries() == []


@pytest.fixture
def restoring(ground: Ground) -> Change:
    """What a person does about a champion that cannot be read: they name a model."""
    ground.store.put(champion_key(ground.problem), b"{}")
    return replace(ground.change(), rolled_out=OLD, restores=True)


def test_a_person_restores_a_champion_that_cannot_be_read(
    ground: Ground, restoring: Change
) -> None:
    result = ground.switch(Mirrored(ground.target), restoring)

    assert result.serves == NEW
    assert ground.state == (NEW, NEW, ["deployed"])


def test_a_restored_model_that_fails_leaves_what_was_rolled_out(
    ground: Ground, restoring: Change
) -> None:
    result = ground.switch(Mirrored(ground.target, failure="It is slow."), restoring)

    assert (result.serves, ground.target.rolled_out()) == (OLD, OLD)
    assert ground.store.get(champion_key(ground.problem)) == b"{}"


def test_the_current_champion_has_a_digest_once_there_is_one(ground: Ground, store: Store) -> None:
    assert current_champion(store, ground.problem).digest == OLD
    assert current_champion(store, f"{ground.problem}-new").digest is None
