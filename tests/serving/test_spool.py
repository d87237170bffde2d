"""Nothing that was written is lost, nothing is doubled, and nothing grows without a bound."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.store.client import Store
from serving.shipping import SegmentHeader, Shipper, parquet, table
from serving.spool import Spool, recover

HEADER = msgspec.json.encode(SegmentHeader(columns=(("name", "string"), ("score", "number"))))
OTHER = msgspec.json.encode(SegmentHeader(columns=(("name", "string"),)))


@dataclass
class Named:
    names: tuple[str, ...]
    header: bytes = HEADER

    @property
    def rows(self) -> int:
        return len(self.names)

    def lines(self) -> Iterator[bytes]:
        for name in self.names:
            yield msgspec.json.encode({"name": name})


class Broken(Named):
    def lines(self) -> Iterator[bytes]:
        message = "this entry cannot be written"
        raise TypeError(message)


def closed(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def names(path: Path) -> list[str]:
    return [msgspec.json.decode(line)["name"] for line in path.read_bytes().splitlines()[1:]]


def test_what_was_put_is_written_in_its_order(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put(Named(("a", "b")))
    spool.put(Named(("c",)))
    spool.close()

    assert [names(path) for path in closed(tmp_path)] == [["a", "b", "c"]]
    assert (spool.written, spool.dropped) == (3, 0)


def test_rows_of_other_columns_begin_a_segment(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for entry in (Named(("a",)), Named(("b",), OTHER), Named(("c",))):
        spool.put(entry)
    spool.close()

    assert [names(path) for path in closed(tmp_path)] == [["a"], ["b"], ["c"]]


def test_a_segment_that_is_shipped_while_the_folder_is_looked_through_costs_no_row(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path)
    (tmp_path / "gone.jsonl").symlink_to("shipped")  # listed, and not there when looked at
    spool.put(Named(("a",)))
    spool.close()

    assert (spool.written, spool.dropped) == (1, 0)


def test_an_old_segment_is_closed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, age=0.0)
    spool.put(Named(("a",)))
    spool.flush()
    spool.flush()

    assert len(closed(tmp_path)) == 1


def test_a_segment_in_use_stays_open(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put(Named(("a",)))
    spool.flush()

    assert closed(tmp_path) == []
    spool.close()


def test_more_than_the_capacity_is_dropped_and_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, capacity_rows=3)
    spool.put(Named(("a", "b")))
    spool.put(Named(("c", "d")))
    spool.close()

    assert (spool.written, spool.dropped) == (2, 2)


def test_a_full_disk_drops_and_counts(tmp_path: Path) -> None:
    spool = Spool(tmp_path, disk_bytes=10)
    for name in ("a", "b"):
        spool.put(Named((name,)))
        spool.flush()
    spool.close()

    assert (spool.written, spool.dropped) == (1, 1)


def test_an_entry_that_cannot_be_written_takes_no_other_with_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for entry in (Named(("a",)), Broken(("b",)), Named(("c",))):
        spool.put(entry)
    spool.close()

    assert [names(path) for path in closed(tmp_path)] == [["a", "c"]]
    assert spool.dropped == 1


def test_a_segment_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put(Named(("a",)))
    spool.flush()

    assert recover(tmp_path) == 0
    spool.close()


def test_a_segment_of_a_killed_writer_is_closed(tmp_path: Path) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from serving.spool import Spool\n"
        "class Entry:\n"
        "    header, rows = b'{}', 1\n"
        "    def lines(self):\n"
        "        return [b'{}']\n"
        "spool = Spool(Path(sys.argv[1]))\n"
        "spool.put(Entry()); spool.flush(); os.kill(os.getpid(), 9)\n"
    )
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", code, str(tmp_path), root], check=False)

    assert closed(tmp_path) == []
    assert recover(tmp_path) == 1
    assert len(closed(tmp_path)) == 1


def test_a_torn_last_line_is_cut() -> None:
    segment = HEADER + b'\n{"name":"a","score":1}\n{"name":"b","sco'

    assert table(segment).to_pylist() == [{"name": "a", "score": 1.0}]


def test_a_torn_line_in_the_middle_is_left_out() -> None:
    segment = HEADER + b'\n{"name":"a"}\n{"name":"b","sco\n{"name":"c","score":2.5}\n'

    assert table(segment)["name"].to_pylist() == ["a", "c"]


def test_a_column_without_values_keeps_its_type() -> None:
    kept = table(HEADER + b'\n{"name":"a"}\n').schema

    assert kept == pa.schema([("name", pa.string()), ("score", pa.float64())])


def test_a_segment_without_rows_is_no_file() -> None:
    assert parquet(HEADER + b"\n") is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "predictions"


def test_a_segment_that_is_shipped_twice_is_there_once(
    store: Store, problem_name: str, folder: Path
) -> None:
    spool = Spool(folder)
    spool.put(Named(("a", "b")))
    spool.close()
    path = closed(folder)[0]
    content = path.read_bytes()
    shipper = Shipper(store, problem_name, (folder,))
    shipper.ship()
    path.write_bytes(content)
    shipper.ship()

    keys = list(store.keys(f"{problem_name}/predictions/"))
    rows = pq.read_table(pa.BufferReader(store.get(keys[0])))
    assert (len(keys), rows["name"].to_pylist()) == (1, ["a", "b"])
    assert closed(folder) == []


def test_a_segment_that_cannot_be_read_is_set_aside(
    store: Store, problem_name: str, folder: Path
) -> None:
    folder.mkdir()
    path = folder / f"host-1-{time.time_ns()}.jsonl"
    path.write_bytes(b"no header\n{}\n")
    shipper = Shipper(store, problem_name, (folder,))
    shipper.ship()

    assert (shipper.failures, shipper.waiting()) == (1, 0)
    assert path.with_suffix(".unreadable").exists()


def test_while_the_store_is_away_segments_wait(
    store_environment: dict[str, str], problem_name: str, folder: Path
) -> None:
    spool = Spool(folder)
    spool.put(Named(("a",)))
    spool.close()
    away = store_environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    shipper = Shipper(Store.from_environment(away), problem_name, (folder,))

    assert shipper.close(0.0) == 1
