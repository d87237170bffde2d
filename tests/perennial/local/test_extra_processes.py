"""The processes of extra components, as the supervisor makes them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import wait_until

from perennial.local import processes
from perennial.local.component import Component
from perennial.local.environment import MARK
from perennial.local.extra_components import ExtraComponent, write_component
from perennial.local.extra_processes import ExtraProcesses, changes
from perennial.local.home import Home
from perennial.local.run_as import as_user, choose_user

SHOW = "import json, os, sys; print(json.dumps([dict(os.environ), os.getcwd()]), flush=True)"


@pytest.fixture
def poll(home: Home) -> Iterator[ExtraProcesses]:
    """What finds components; the processes of this home are ended at last."""
    yield ExtraProcesses(home)
    processes.stop([], home.folder, 1)


def run(component: Component) -> None:
    component.poll()
    assert component.seen.state == "running"

    def has_ended() -> bool:
        component.poll()
        return component.seen.state != "running"

    wait_until(has_ended, "the component ends")


def test_a_component_gets_its_own_variables_and_nothing_of_the_shell(
    home: Home, poll: ExtraProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    program = str(home.python)
    extra = ExtraComponent(name="show", command=(program, "-c", SHOW), environment={"SIZE": "7"})
    write_component(home, extra)

    component = poll.poll([])["show"]
    run(component)

    environment, folder = json.loads(component.log.read_text())
    assert environment["SIZE"] == "7"
    assert environment[MARK] == str(home.folder)
    assert "AWS_PROFILE" not in environment
    assert folder == str(home.folder)


def test_one_that_ends_is_started_again(home: Home, poll: ExtraProcesses) -> None:
    write_component(home, ExtraComponent(name="short", command=("true",)))

    component = poll.poll([])["short"]
    run(component)

    assert component.seen.state == "restarting"


def test_each_component_is_found_once(home: Home, poll: ExtraProcesses) -> None:
    write_component(home, ExtraComponent(name="first", command=("sleep", "600"), stop_seconds=7))
    assert list(poll.poll([])) == ["first"]
    write_component(home, ExtraComponent(name="second", command=("sleep", "600"), stop_seconds=3))

    assert list(poll.poll(["first"])) == ["second"]
    assert sorted(poll.names) == ["first", "second"]
    assert poll.stop_seconds == 7


def test_what_cannot_be_started_is_logged_once_and_looked_for_again(
    home: Home, poll: ExtraProcesses, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "server"
    write_component(home, ExtraComponent(name="later", command=(str(program),)))
    write_component(home, ExtraComponent(name="store", command=("true",)))

    assert poll.poll(["store"]) == {}
    assert poll.poll(["store"]) == {}
    assert len(caplog.records) == 2

    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert list(poll.poll(["store"])) == ["later"]


def test_a_damaged_document_ends_nothing(
    home: Home, poll: ExtraProcesses, caplog: pytest.LogCaptureFixture
) -> None:
    home.components.mkdir()
    (home.components / "queue.json").write_text("{")

    assert poll.poll([]) == {}
    assert len(caplog.records) == 1


def test_a_program_for_changes_runs_at_the_start_and_after_each_change(
    home: Home, poll: ExtraProcesses, tmp_path: Path
) -> None:
    watched = tmp_path / "watched"
    extra = ExtraComponent(name="follow", command=("true",), run_when_changed=(watched,))
    write_component(home, extra)
    component = poll.poll([])["follow"]

    run(component)
    assert not component.poll()
    watched.write_text("new")
    run(component)

    assert component.seen.restarts == 0
    assert not component.poll()


def test_a_program_for_changes_that_failed_runs_again(
    home: Home, poll: ExtraProcesses, tmp_path: Path
) -> None:
    extra = ExtraComponent(name="follow", command=("false",), run_when_changed=(tmp_path,))
    write_component(home, extra)
    component = poll.poll([])["follow"]

    run(component)
    assert component.seen.state == "restarting"
    component.now = lambda: 1e9

    run(component)


def test_changes_are_told_once(tmp_path: Path) -> None:
    has_changed = changes([tmp_path / "a", tmp_path])

    assert [has_changed(), has_changed()] == [True, False]
    (tmp_path / "a").write_text("1")
    assert [has_changed(), has_changed()] == [True, False]
    (tmp_path / "a").unlink()
    assert [has_changed(), has_changed()] == [True, False]


@pytest.mark.skipif(os.geteuid() == 0, reason="root can become another user")
def test_without_root_a_component_runs_as_the_platform() -> None:
    assert choose_user(["nobody"]) is None
    assert as_user("nobody") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_roots_component_runs_as_another_user(home: Home, poll: ExtraProcesses) -> None:
    user = choose_user(["nosuch", "nobody"])
    extra = ExtraComponent(name="who", command=("id", "-un"), folder=Path("/"), user=user)
    write_component(home, extra)

    component = poll.poll([])["who"]
    run(component)

    assert component.log.read_text() == "nobody\n"
