"""A suggested folder runs without editing, on any sane file."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from contract.errors import InvalidRequest, Refused
from contract.problem import Problem, read_problem
from tasks.suggestion.task import Params, suggest, task

N = 300
START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS: dict[str, Any] = {
    "order_id": [f"o{i}" for i in range(N)],
    "born_birthday": [START - timedelta(days=9_000 + i) for i in range(N)],
    "ordered_at": [START + timedelta(hours=3 * i) for i in range(N)],
    "price": [i * 0.37 % 50 for i in range(N)],
    "color": [["red", "green", "blue"][i % 3] for i in range(N)],
    "returned": ["yes" if i % 4 == 0 else "no" for i in range(N)],
}


def suggested(tmp_path: Path, columns: dict[str, Any], target: str, name: str = "x.csv") -> Problem:
    path = tmp_path / name
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(pa.table(columns), path)
    else:
        pyarrow.csv.write_csv(pa.table(columns), path)
    words = {"name": "shop", "file": str(path), "target": target}
    out = tmp_path / "out"

    assert 0 == task.main(["--params", json.dumps(words), "--out", str(out)])
    assert {"problem.yaml", "expectations.json", "README.md"} == {p.name for p in out.iterdir()}
    return read_problem(out / "problem.yaml")


@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "odd [name] $HOME.csv"])
def test_key_time_and_task_are_inferred(tmp_path: Path, name: str) -> None:
    problem = suggested(tmp_path, COLUMNS, "returned", name)

    assert problem.main_source.key == ("order_id",)
    assert problem.main_source.event_time == "ordered_at"
    assert (problem.target.task, problem.split_by) == ("binary", "time")


def test_the_path_is_found_again_whatever_signs_it_has(tmp_path: Path) -> None:
    from contract.problem.sources.files import FilesSource
    from tasks.collection.readers.base import ReadOptions
    from tasks.collection.readers.files import FilesReader

    problem = suggested(tmp_path, COLUMNS, "returned", "odd [name] $HOME.csv")

    source = problem.main_source
    assert isinstance(source, FilesSource)
    reader = FilesReader("x", source, ReadOptions({"HOME": "/nowhere"}, tmp_path))
    assert ["odd [name] $HOME.csv"] == list(reader._matching_files())


def test_a_birthday_is_not_when_a_row_happened(tmp_path: Path) -> None:
    columns = {name: COLUMNS[name] for name in COLUMNS if name != "ordered_at"}

    problem = suggested(tmp_path, columns, "returned")

    assert (problem.main_source.event_time, problem.split_by) == (None, "hash")


def test_a_file_without_a_key_has_none(tmp_path: Path) -> None:
    columns = {"a": [1, 2, 3] * 100, "y": [0.5 * i % 31 for i in range(N)]}

    assert suggested(tmp_path, columns, "y").main_source.key == ()


def test_parts_fall_back_to_the_hash_where_time_cannot_part(tmp_path: Path) -> None:
    """One class stops half-way, so that the newest rows hold the other alone."""
    stopped = ["yes" if i < 150 and i % 2 else "no" for i in range(N)]

    problem = suggested(tmp_path, {**COLUMNS, "returned": stopped}, "returned")

    assert problem.split_by == "hash"


def test_expectations_warn_and_never_refuse(tmp_path: Path) -> None:
    suggested(tmp_path, COLUMNS, "returned")

    suite = json.loads((tmp_path / "out" / "expectations.json").read_text())["expectations"]
    assert {"warning"} == {expectation["severity"] for expectation in suite}
    colors = [e for e in suite if e["type"] == "expect_column_values_to_be_in_set"]
    assert [["blue", "green", "red"]] == [e["kwargs"]["value_set"] for e in colors]


def test_a_suspected_leak_stands_in_the_readme(tmp_path: Path) -> None:
    suggested(tmp_path, {**COLUMNS, "refund": [i % 4 == 0 for i in range(N)]}, "returned")

    assert "refund alone predicts the target" in (tmp_path / "out" / "README.md").read_text()


def test_a_target_that_is_not_there_is_an_invalid_request(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")

    with pytest.raises(InvalidRequest, match=r"'c'.*'a', 'b'"):
        suggest(Params(name="x", file=str(path), target="c"), tmp_path)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("a,y\n", "'y' holds no value"),
        ("a,y\n1,2\n2,2\n", "'y' holds one value"),
        ("a,y\n1,2\n2,3\n3,4.5\n", "labelled rows give the parts"),
    ],
)
def test_a_file_from_which_nothing_can_be_learned_is_refused(
    tmp_path: Path, body: str, said: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(body)

    with pytest.raises(Refused, match=said):
        suggest(Params(name="x", file=str(path), target="y"), tmp_path)


def test_a_failure_tells_its_sentence_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tmp_path / "result.json"
    monkeypatch.setenv("STAGE_RESULT", str(result))
    words = json.dumps({"name": "x", "file": str(tmp_path / "none.csv"), "target": "y"})

    assert 2 == task.main(["--params", words, "--out", str(tmp_path / "out")])
    assert "There is no file" in json.loads(result.read_text())["why"]
    assert not (tmp_path / "out").exists()
