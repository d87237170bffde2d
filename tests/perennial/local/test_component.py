import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from waiting import wait_until

from perennial.local.component import Component

SHELL = {"PATH": os.environ["PATH"]}


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


Make = Callable[..., Component]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Iterator[Make]:
    made: list[Component] = []

    def build(
        *command: str, may_start: Callable[[], bool] = lambda: True, is_on_demand: bool = False
    ) -> Component:
        component = Component(
            name="part",
            command=command,
            environment=SHELL,
            log=tmp_path / "part.log",
            folder=tmp_path,
            may_start=may_start,
            is_on_demand=is_on_demand,
            now=clock,
        )
        made.append(component)
        return component

    yield build
    for component in made:
        if component._process is not None:
            component._process.kill()
            component._process.wait()


def _poll_until(component: Component, state: str) -> None:
    def is_reached() -> bool:
        if component.seen.state != state:
            component.poll()
        return component.seen.state == state

    wait_until(is_reached, f"the component is {state}")


def test_a_component_waits_for_what_it_needs(make: Make) -> None:
    component = make("sleep", "600", may_start=lambda: False)

    component.poll()

    assert component.seen.state == "waiting"


def test_a_component_that_died_is_started_again_after_a_pause(make: Make, clock: Clock) -> None:
    component = make("sleep", "600")
    component.poll()
    assert component.seen.process is not None
    first = component.seen.process
    os.kill(first.pid, 9)
    _poll_until(component, "restarting")

    component.poll()
    assert component.seen.state == "restarting"
    clock.seconds += 1.0
    component.poll()

    assert component.seen.state == "running"
    assert component.seen.restarts == 1
    assert component.seen.process != first


def test_the_pause_grows_while_a_component_keeps_dying(make: Make, clock: Clock) -> None:
    component = make("false")
    pauses = []
    for _ in range(8):
        component.poll()
        _poll_until(component, "restarting")
        pauses.append(component._pause)
        clock.seconds += component._pause

    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_who_lived_a_minute_begins_with_the_first_pause_again(make: Make, clock: Clock) -> None:
    component = make("sleep", "600")
    component._pause = 30.0
    component.poll()
    assert component.seen.process is not None
    clock.seconds += 61.0
    os.kill(component.seen.process.pid, 9)

    _poll_until(component, "restarting")

    assert component._pause == 0.5


def test_the_exit_code_is_told(make: Make) -> None:
    component = make("sh", "-c", "exit 7")
    component.poll()

    _poll_until(component, "restarting")

    assert component.last_exit == 7
    assert component.seen.problem.startswith("ended with exit code 7 after 0 s; see ")


def test_one_on_demand_that_ends_well_waits_and_starts_again_at_once(make: Make) -> None:
    asked = [True]
    component = make("true", may_start=lambda: bool(asked), is_on_demand=True)
    component.poll()
    asked.clear()

    _poll_until(component, "waiting")

    assert (component.seen.restarts, component.seen.problem) == (0, "")
    asked.append(True)
    component.poll()
    assert component.seen.state == "running"


def test_one_on_demand_that_fails_is_a_fault(make: Make) -> None:
    component = make("false", is_on_demand=True)
    component.poll()

    _poll_until(component, "restarting")

    assert component.seen.restarts == 1
