"""Prometheus reads the same names, labels and values as before its own library wrote the text."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from contract.service_protocol import FEEDBACK, PREDICT, PREDICT_BATCH
from serving.counters import Counters
from serving.exposition import render

BEFORE = Path(__file__).with_name("metrics_before.txt")
"""What the service's own renderer wrote of the same counts."""
FURTHER = {
    "ready": ("1 where requests may come.", 1.0),
    "log_rows_written_total": ("Rows in the local log.", 99),
    "resident_bytes": ("Largest resident memory.", 123_456_789.0),
}
OLD, NEW = "a" * 64, "b" * 64


@pytest.fixture
def counters() -> Counters:
    counters = Counters()
    counters.rows, counters.feedback, counters.in_flight = 12_345, 7, 2
    counters.swaps, counters.failures = 3, 1
    counters.coerced.update({"joined": 2, 'odd "name"\\ of\na column': 1, "age": 0})
    counters.observe(PREDICT, 200, 0.00009)
    counters.observe(PREDICT, 200, 0.0005)
    counters.observe(PREDICT, 422, 0.3)
    counters.observe(PREDICT_BATCH, 200, 7.5)
    counters.observe(FEEDBACK, 200, 0.0123456789)
    counters.requests["other", 404] += 1
    for digest, status, seconds in ((OLD, 200, 0.001), (OLD, 500, 0.02), (NEW, 503, 9.0)):
        served: Any = SimpleNamespace(digest=digest)
        counters.tallies.add(served, status, seconds, None)
    return counters


def read(text: str) -> list[object]:
    return [
        (
            family.name,
            family.type,
            [
                (sample.name, sorted(sample.labels.items()), sample.value)
                for sample in family.samples
            ],
        )
        for family in text_string_to_metric_families(text)
    ]


def test_each_name_label_and_value_is_as_before(counters: Counters) -> None:
    text = render(counters, FURTHER, NEW)

    assert read(text) == read(BEFORE.read_text())


def test_without_a_model_its_name_is_left_out(counters: Counters) -> None:
    text = render(counters, FURTHER, None)

    assert "# TYPE perennial_model_info gauge" in text
    assert "perennial_model_info{" not in text


def test_a_new_process_shows_every_family() -> None:
    families = [line for line in BEFORE.read_text().splitlines() if line.startswith("# TYPE")]
    text = render(Counters(), FURTHER, None)

    assert [line for line in text.splitlines() if line.startswith("# TYPE")] == families
