from perennial.local.home import Home
from perennial.local.processes import ProcessRef
from perennial.local.state import ComponentState, PlatformState, read_state, write_state


def test_what_was_written_is_read(home: Home) -> None:
    state = PlatformState(
        supervisor=ProcessRef(1, "a:1"),
        components={
            "store": ComponentState("running", ProcessRef(2, "a:2"), restarts=1, problem="died"),
            "scheduler": ComponentState("waiting"),
        },
    )

    write_state(home, state)

    assert read_state(home) == state
    assert state.processes == [ProcessRef(2, "a:2")]


def test_a_platform_that_never_ran_has_no_state(home: Home) -> None:
    assert read_state(home) is None


def test_a_damaged_state_is_none(home: Home) -> None:
    home.state.write_text('{"components": {"store": 1}}')

    assert read_state(home) is None
