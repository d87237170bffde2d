"""Components that an add-on describes by a document."""

import socket
import stat
from pathlib import Path

import pytest

from contract.errors import InvalidRequest
from perennial.local.environment import remember_environment, remembered_environment
from perennial.local.extra_components import (
    ExtraComponent,
    ReadinessProbe,
    is_ready,
    is_startable,
    read_components,
    remove_component,
    write_component,
)
from perennial.local.home import Home

QUEUE = ExtraComponent(
    name="queue",
    command=("sleep", "60"),
    environment={"QUEUE_SIZE": "7"},
    variables={"QUEUE_URL": "amqp://user:secret@127.0.0.1:1"},
)


def test_what_was_written_is_read_back(home: Home) -> None:
    write_component(home, QUEUE)

    assert read_components(home) == [QUEUE]
    assert stat.S_IMODE((home.components / "queue.json").stat().st_mode) == 0o600

    remove_component(home, "queue")

    assert read_components(home) == []


def test_a_person_may_write_the_document_by_hand(home: Home) -> None:
    home.components.mkdir()
    (home.components / "queue.json").write_text('{"name": "queue", "command": ["sleep", "60"]}')

    assert read_components(home) == [ExtraComponent(name="queue", command=("sleep", "60"))]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "does not describe a component"),
        ('{"name": "queue", "command": []}', "does not describe a component"),
        ('{"name": "queue", "command": ["a"], "comand": 1}', "comand"),
        ('{"name": "other", "command": ["a"]}', "holds the name 'other'"),
    ],
)
def test_a_damaged_document_is_one_sentence_with_its_file(
    home: Home, text: str, sentence: str
) -> None:
    home.components.mkdir()
    (home.components / "queue.json").write_text(text)

    with pytest.raises(InvalidRequest, match=sentence) as error:
        read_components(home)

    assert str(home.components / "queue.json") in str(error.value)
    assert "\n" not in str(error.value)


def test_its_variables_are_kept_for_the_sources_of_problems(home: Home) -> None:
    write_component(home, QUEUE)

    remember_environment(home, {})

    assert remembered_environment(home) == dict(QUEUE.variables)


def test_a_program_that_is_not_there_cannot_be_started(tmp_path: Path) -> None:
    assert is_startable(QUEUE)
    assert not is_startable(QUEUE.model_copy(update={"command": (str(tmp_path / "gone"),)}))


def test_it_is_ready_when_its_port_takes_connections(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        listening = QUEUE.model_copy(update={"readiness": ReadinessProbe(port=port)})
        assert is_ready(listening)
    assert not is_ready(listening)
    assert is_ready(QUEUE)


def test_it_is_ready_when_its_file_says_so(tmp_path: Path) -> None:
    file = tmp_path / "status"
    with socket.create_server(("127.0.0.1", 0)) as server:
        probe = ReadinessProbe(port=server.getsockname()[1], file=file, line="ready")
        component = QUEUE.model_copy(update={"readiness": probe})
        assert not is_ready(component)
        file.write_text("pid\nstarting\n")
        assert not is_ready(component)
        file.write_text("pid\nready   \n")
        assert is_ready(component)
