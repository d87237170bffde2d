"""A bundle that an earlier version exported is read, and its prediction log has the columns of today."""

import io
from pathlib import Path

import earlier_state
import pytest
from pyarrow import parquet

import bundle
from bundle.prediction_rows import PredictionRows
from contract.prediction_log import DIGEST
from contract.store.layout import ModelFileKey, PredictionsKey, parse_keys

STATE = earlier_state.objects()
FILES = list(parse_keys(STATE, ModelFileKey))
DIGESTS = sorted({key.digest for key in FILES})


def unpacked(digest: str, folder: Path) -> Path:
    for key in FILES:
        if key.digest == digest:
            path = folder / key.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(STATE[str(key)])
    return folder


@pytest.mark.parametrize("digest", DIGESTS)
def test_an_earlier_bundle_reproduces_its_golden_rows(digest: str, tmp_path: Path) -> None:
    folder = unpacked(digest, tmp_path)

    assert bundle.load(folder, digest=digest, keys=earlier_state.verify_keys()).digest == digest


def test_an_earlier_log_has_the_columns_that_its_model_writes_today(tmp_path: Path) -> None:
    logs = [
        parquet.read_table(io.BytesIO(STATE[str(key)])) for key in parse_keys(STATE, PredictionsKey)
    ]
    (digest,) = {digest for log in logs for digest in log.column(DIGEST).to_pylist()}
    model = bundle.load(unpacked(digest, tmp_path), digest=digest)
    columns = [column.name for column in PredictionRows(model.contract, digest).columns]

    assert sum(log.num_rows for log in logs) == 6 * 600
    assert {tuple(log.column_names) for log in logs} == {tuple(columns)}
