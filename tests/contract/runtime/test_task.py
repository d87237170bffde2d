import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field
from waiting import LIMIT_SECONDS, wait_until

from contract.artifacts import Document, Table
from contract.errors import InvalidRequest, Refused, TryAgain
from contract.runtime.command import run_task
from contract.runtime.task import Task
from contract.store.client import Store
from contract.store.documents import read_json_artifact
from contract.store.writer import Out
from contract.strict import Strict

ROOT = Path(__file__).parents[3]


class NoInputs(Strict):
    pass


class Text(Strict):
    text: str


class Made(Strict):
    words: Document
    parts: dict[str, Table] = Field(default_factory=dict)
    length: int
    outcome: Literal["short", "long"] = "short"
    note: str | None = None


calls: list[str] = []


def write(inputs: NoInputs, params: Text, out: Out) -> Made:
    calls.append(params.text)
    if params.text == "refuse":
        raise Refused("The text is 'refuse'; another is expected.")
    if params.text == "away":
        raise TryAgain("The printer is away.")
    if params.text == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if params.text == "library":
        raise ValueError("IO Error: Could not write file: No space left on device")
    if params.text == "strange":
        raise OSError(errno.EIO, "Input/output error")
    (out.scratch / "t").write_bytes(b"rows")
    return Made(
        words=out.document("words", {"text": params.text}),
        parts={"a": out.table("a", out.scratch / "t", 1)} if params.text == "parts" else {},
        length=len(params.text),
    )


class Takes(Strict):
    words: Document


class Nothing(Strict):
    pass


class Read(Strict):
    text: str
    long: str = "x" * 5000


def read(inputs: Takes, params: Nothing, out: Out) -> Read:
    return Read(text=read_json_artifact(out.store, inputs.words)["text"])


writing = Task("write", write)
reading = Task("read", read)


@pytest.fixture
def out_uri(store: Store, problem_name: str) -> str:
    return store.uri(f"{problem_name}/runs/r1/write")


@pytest.fixture
def result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setenv("STAGE_RESULT", str(tmp_path / "result.json"))
    calls.clear()
    yield tmp_path / "result.json"
    signal.signal(signal.SIGTERM, before)


def told(path: Path) -> Any:
    return json.loads(path.read_bytes())


def run(uri: str, text: str = "hello") -> int:
    return writing.main(["--params", json.dumps({"text": text}), "--out", uri])


def take(result: Any, output: str = "words", name: str = "words") -> str:
    return f"{name}={result['manifest']}#{output}@sha256:{result['sha256']}"


def test_the_manifest_says_what_was_made(store: Store, out_uri: str, result: Path) -> None:
    assert run(out_uri, "parts") == 0

    manifest = json.loads(store.get(store.key(out_uri) + "/manifest.json"))
    assert manifest["task"] == "write"
    assert manifest["params"] == {"text": "parts"}
    assert sorted(manifest["outputs"]) == ["parts", "words"]
    assert manifest["facts"] == {"length": 5}
    assert manifest["outcome"] == "short"
    assert told(result)["outcome"] == "short"


def test_an_empty_mapping_of_artifacts_is_an_output(
    store: Store, out_uri: str, result: Path
) -> None:
    run(out_uri)

    manifest = json.loads(store.get(store.key(out_uri) + "/manifest.json"))
    assert manifest["outputs"]["parts"] == {}


def test_running_twice_works_once(out_uri: str, result: Path) -> None:
    run(out_uri)
    first = told(result)

    assert run(out_uri) == 0
    assert calls == ["hello"]
    assert told(result) == first


def test_a_lost_output_is_made_again(store: Store, out_uri: str, result: Path) -> None:
    run(out_uri)
    first = told(result)
    lost = next(key for key in store.keys(store.key(out_uri)) if "words" in key)
    store.delete(lost)

    assert run(out_uri) == 0
    assert calls == ["hello", "hello"]
    assert store.head(lost) is not None
    assert told(result) == first


def test_a_lost_output_that_comes_out_differently_is_refused(
    store: Store, out_uri: str, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(out_uri)
    store.delete(next(key for key in store.keys(store.key(out_uri)) if "words" in key))
    monkeypatch.setattr(
        writing,
        "run",
        lambda *given: Made(words=given[2].document("words", "other"), length=1),
    )

    assert run(out_uri) == 2
    assert "came out differently: start a new run" in told(result)["why"]


def test_other_parameters_at_the_same_place_are_refused(out_uri: str, result: Path) -> None:
    run(out_uri)

    assert run(out_uri, "other") == 2
    assert "a manifest with other params" in told(result)["why"]


def test_of_two_attempts_at_once_the_first_manifest_decides(
    store: Store, out_uri: str, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = writing.run

    def beaten(inputs: NoInputs, params: Text, out: Out) -> Made:
        monkeypatch.setattr(writing, "run", original)
        assert run(out_uri) == 0
        return original(inputs, params, out)

    monkeypatch.setattr(writing, "run", beaten)

    assert run(out_uri) == 0
    assert len([key for key in store.keys(store.key(out_uri)) if "manifest" in key]) == 1


@pytest.mark.parametrize(
    ("text", "code"), [("refuse", 3), ("away", 75), ("full", 75), ("library", 75)]
)
def test_each_end_has_its_exit_code_and_sentence(
    store: Store, out_uri: str, result: Path, text: str, code: int
) -> None:
    assert run(out_uri, text) == code
    assert told(result)["why"].endswith(".")
    assert store.head(store.key(out_uri) + "/manifest.json") is None


@pytest.mark.parametrize("text", ["library", "hello"])
def test_a_full_disk_that_takes_no_result_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, out_uri: str, text: str
) -> None:
    monkeypatch.setenv("STAGE_RESULT", "/dev/full")

    assert run(out_uri, text) == 75


def test_any_other_failure_is_a_bug(out_uri: str, result: Path) -> None:
    with pytest.raises(OSError, match="Input/output"):
        run(out_uri, "strange")


def test_a_stage_takes_what_another_made(store: Store, out_uri: str, result: Path) -> None:
    run(out_uri)
    uri = out_uri.replace("/write", "/read")

    assert reading.main(["--take", take(told(result)), "--out", uri]) == 0
    assert told(result)["facts"] == {"text": "hello"}


def test_a_result_stays_under_three_kilobytes(out_uri: str, result: Path) -> None:
    run(out_uri)
    reading.main(["--take", take(told(result)), "--out", out_uri.replace("/write", "/read")])

    assert len(result.read_bytes()) <= 3000
    assert "long" not in told(result)["facts"]


@pytest.mark.parametrize(
    ("takes", "sentence"),
    [
        (["words=what"], "NAME=URI#OUTPUT@sha256:HEX is expected"),
        ([], "words: Field required"),
    ],
)
def test_wrong_references_are_named(
    out_uri: str, result: Path, takes: list[str], sentence: str
) -> None:
    arguments = [word for text in takes for word in ("--take", text)]

    assert reading.main([*arguments, "--out", out_uri]) == 2
    assert sentence in told(result)["why"]


def test_a_manifest_of_another_digest_is_refused(out_uri: str, result: Path) -> None:
    run(out_uri)
    wrong = take(told(result) | {"sha256": "0" * 64})

    assert reading.main(["--take", wrong, "--out", out_uri]) == 2
    assert "take the one that the earlier stage named" in told(result)["why"]


def test_an_output_that_is_not_there_is_named(out_uri: str, result: Path) -> None:
    run(out_uri)
    wrong = take(told(result), output="pages")

    assert reading.main(["--take", wrong, "--out", out_uri]) == 2
    assert "has no output 'pages'; it has parts, words" in told(result)["why"]


def test_an_input_given_twice_is_refused(out_uri: str, result: Path) -> None:
    run(out_uri)
    word = take(told(result))

    assert reading.main(["--take", word, "--take", word, "--out", out_uri]) == 2
    assert "--take words was given 2 times" in told(result)["why"]


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ('{"text": 1}', "text: Input should be a valid string"),
        ('{"text": "a", "tset": 1}', "tset: Extra inputs are not permitted"),
        ("{", "--params is not JSON"),
        ("absent.json", "cannot be read"),
        ("[]", "cannot be read"),
    ],
)
def test_wrong_parameters_are_named(out_uri: str, result: Path, params: str, sentence: str) -> None:
    assert writing.main(["--params", params, "--out", out_uri]) == 2
    assert sentence in told(result)["why"]


def test_parameters_come_from_a_file_too(out_uri: str, result: Path, tmp_path: Path) -> None:
    (tmp_path / "params.json").write_text('{"text": "filed"}')

    assert writing.main(["--params", str(tmp_path / "params.json"), "--out", out_uri]) == 0
    assert calls == ["filed"]


def test_without_a_result_variable_nothing_is_told(
    out_uri: str, result: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STAGE_RESULT")

    assert run(out_uri) == 0
    assert not result.exists()


def test_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    def find(name: str) -> Task[Any, Any, Any]:
        raise InvalidRequest(f"There is no stage {name!r}.")

    assert run_task(["--help"], find) == 0
    assert "python -m tasks STAGE" in capsys.readouterr().out
    assert run_task([], find) == 0


def test_an_unknown_stage_is_an_invalid_request(result: Path) -> None:
    def find(name: str) -> Task[Any, Any, Any]:
        raise InvalidRequest(f"There is no stage {name!r}.")

    assert run_task(["splt"], find) == 2
    assert told(result)["why"] == "There is no stage 'splt'."


def test_a_known_stage_runs(out_uri: str, result: Path) -> None:
    assert (
        run_task(["write", "--params", '{"text": "a"}', "--out", out_uri], lambda _: writing) == 0
    )


def test_a_bundle_counts_as_there_when_its_manifest_is(
    store: Store, problem_name: str, tmp_path: Path
) -> None:
    from contract.runtime.task import _all_there

    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "manifest.json").write_bytes(b"{}")
    (folder / "model.json").write_bytes(b"{}")
    out = Out(store, f"{problem_name}/runs/r1/training", tmp_path)

    bundle = out.bundle(folder, "a" * 64)

    assert bundle.digest == "a" * 64
    assert bundle.bytes == 4
    assert _all_there(store, {"bundle": bundle.model_dump(), "list": [bundle.model_dump()]}, "m")
    store.delete(f"{problem_name}/models/sha256/{'a' * 64}/manifest.json")
    assert not _all_there(store, {"bundle": bundle.model_dump()}, "m")
    assert _all_there(store, {"no artifact": 3}, "m")


def test_pages_and_blobs_are_written(store: Store, problem_name: str, tmp_path: Path) -> None:
    out = Out(store, f"{problem_name}/runs/r1/s", tmp_path)
    (tmp_path / "f").write_bytes(b"log")

    assert store.read(out.page("page", "<p>ü</p>")) == "<p>ü</p>".encode()
    assert store.read(out.blob("journal", tmp_path / "f", ".log")) == b"log"
    assert out.document("d", Text(text="a")).bytes == len(b'{"text":"a"}')
    assert (out.problem, out.run, out.stage) == (problem_name, "r1", "s")
    with pytest.raises(InvalidRequest, match="'alone', PROBLEM/runs/RUN/STAGE is expected"):
        Out(store, "alone", tmp_path)


SLEEPER = """
import subprocess, sys, time
from contract.runtime.task import Task
from contract.store.writer import Out
from contract.strict import Strict
class Nothing(Strict): pass
def run(inputs: Nothing, params: Nothing, out: Out) -> Nothing:
    child = subprocess.Popen(["sleep", "600"])
    print(child.pid, flush=True)
    time.sleep(600)
    return Nothing()
sys.exit(Task("sleep", run).main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("leads", [True, False])
def test_a_terminated_task_takes_its_group_along_where_it_leads_one(
    store: Store, out_uri: str, tmp_path: Path, leads: bool
) -> None:
    import psutil

    script = tmp_path / "sleeper.py"
    script.write_text(SLEEPER)
    process = subprocess.Popen(
        [sys.executable, str(script), "--out", out_uri],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=leads,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))

    process.terminate()

    assert process.wait(LIMIT_SECONDS) != 0
    process.stdout.close()

    def is_alive() -> bool:
        return child.is_running() and child.status() != psutil.STATUS_ZOMBIE

    if leads:
        wait_until(lambda: not is_alive(), "the child has ended with the task")
    else:
        assert is_alive()
        child.kill()
