from collections.abc import Callable

import pytest
from click.testing import Result

from contract.errors import InvalidRequest
from perennial.config import choose
from perennial.local.home import Home

Call = Callable[..., Result]


def test_the_default_location_is_this_machine(home: Home) -> None:
    choice = choose(None, None, {}, home)

    assert (choice.on, choice.context) == ("machine", None)


def test_a_word_comes_before_the_environment_and_that_before_the_file(home: Home) -> None:
    (home.folder / "config.yaml").write_text("on: kubernetes\ncontext: file\n")
    environment = {"PERENNIAL_CONTEXT": "environment"}

    assert choose(None, None, {}, home).context == "file"
    assert choose(None, None, environment, home).context == "environment"
    assert choose(None, "word", environment, home).context == "word"
    assert choose("machine", None, environment, home).on == "machine"
    assert choose(None, None, {"PERENNIAL_ON": "machine"}, home).on == "machine"


def test_an_unknown_location_is_refused(home: Home) -> None:
    with pytest.raises(InvalidRequest, match="'moon' was found; one of machine, kubernetes is"):
        choose(None, None, {"PERENNIAL_ON": "moon"}, home)


def test_a_context_without_a_cluster_is_refused(home: Home) -> None:
    with pytest.raises(InvalidRequest, match="--context 'work' is for a cluster"):
        choose(None, "work", {}, home)


@pytest.mark.parametrize("text", ["- on", "on: true", "where: kubernetes", "on: [kubernetes]"])
def test_a_file_that_holds_something_else_is_refused(home: Home, text: str) -> None:
    (home.folder / "config.yaml").write_text(text)

    with pytest.raises(InvalidRequest, match="holds something else than the expected keys"):
        choose(None, None, {}, home)


def test_the_location_is_accepted_after_the_command_as_well(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("sys.executable", "/nonexistent/python")

    before = call("--on", "kubernetes", "up")
    behind = call("up", "--on", "kubernetes")

    assert "There is no kubectl on the PATH" in before.stderr
    assert (before.stderr, before.exit_code) == (behind.stderr, behind.exit_code)


def test_an_overlay_is_refused_on_a_machine(call: Call) -> None:
    result = call("up", "--overlay", "production")

    assert result.exit_code == 2
    assert "--overlay 'production' is for a cluster; say --on kubernetes as well." in result.stderr
