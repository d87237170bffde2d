"""What the service writes into its two logs is what monitoring and the canary read of them."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bundle_factory import GOLDEN, ROW, Keys, Made, make_bundle, make_keys, upload

import bundle
from bundle import signing
from contract import prediction_log as log
from contract.store.client import Store
from contract.times import microseconds
from methods.controller.days import Calendar
from methods.drift.reference import reference_profile
from methods.tables.key_hash import hash_keys
from serving import answers
from serving.answers import Answer
from serving.served_model import ServedModel
from serving.service_state import ServiceState
from serving.shipping import Shipper
from serving.spool import Spool
from tasks.deployment.canary.traffic import bake_rows
from tasks.monitoring.evidence.champions import MonitoredModel, MonitoredModels
from tasks.monitoring.evidence.label_versions import from_feedback
from tasks.monitoring.evidence.labels import JoinedLabels
from tasks.monitoring.evidence.lateness import Lateness
from tasks.monitoring.evidence.log import ServedDay, read_log
from tasks.monitoring.evidence.segments import SegmentLog

DAY = date(2024, 5, 6)
EVENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
SECOND = ROW | {"customer": 18, "age": 7, "city": 7.0, "member": None, "joined": "30 February"}
KINDS = {"age": "number", "income": "number", "member": "boolean", "city": "category"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("keys"))


class Written:
    """A service's state, its logs and the store they are shipped to."""

    def __init__(self, store: Store, problem: str, folder: Path, made: Made, keys: Keys) -> None:
        known = signing.public_keys(keys.folder)
        self.model = bundle.load(made.folder, keys=known)
        self.state = ServiceState(problem)
        self.state.served = ServedModel(self.model)
        self.store, self.problem, self.folder = store, problem, folder

    def post(self, answer: Answer, kind: str) -> Any:
        """Log an answer as the service does, and return its body."""
        assert answer.entry is not None, answer.body
        spool = Spool(self.folder / kind)
        spool.put(answer.entry)
        spool.close()
        Shipper(self.store, self.problem, (spool.folder,)).ship()
        return json.loads(answer.body)

    def predict(self, *rows: object) -> Any:
        body = json.dumps({"rows": rows}).encode()
        return self.post(answers.predict_batch(self.state, body), "predictions")

    def feedback(self, label: object) -> None:
        self.post(answers.feedback(self.state, json.dumps(label).encode()), "feedback")

    def read(self, champion: MonitoredModel) -> ServedDay:
        return self.days(champion, DAY, log.ROW_REFERENCE)[DAY]

    def days(
        self, champion: MonitoredModel, day: date, joined: Sequence[str]
    ) -> dict[date, ServedDay]:
        files = SegmentLog(self.store, self.problem, Calendar("UTC"), day, self.folder)
        return read_log(files, {day: champion}, joined)

    def table(self, kind: str) -> pa.Table:
        keys = list(self.store.keys(f"{self.problem}/{kind}/"))
        return pa.concat_tables(pq.read_table(pa.BufferReader(self.store.get(key))) for key in keys)


@pytest.fixture
def write(store: Store, problem_name: str, tmp_path: Path, keys: Keys) -> Callable[..., Written]:
    def begin(kind: str) -> Written:
        profile = reference(3 if kind == "multiclass" else 1)
        made = make_bundle(tmp_path / kind, problem_name, keys, kind=kind, profile=profile)  # type: ignore[arg-type] # a str
        upload(store, problem_name, made)
        return Written(store, problem_name, tmp_path, made, keys)

    return begin


@pytest.fixture
def champion(
    store: Store, problem_name: str, tmp_path: Path
) -> Callable[[Written], MonitoredModel]:
    champions = MonitoredModels(store, problem_name, tmp_path)
    return lambda written: champions.of(written.model.digest)


def reference(scores: int) -> Any:
    random = np.random.default_rng(1)
    table = pa.table(
        {
            "age": random.uniform(18, 80, 400),
            "income": random.uniform(100, 3000, 400),
            "member": random.random(400) < 0.5,
            "city": random.choice(["Oslo", "Bergen"], 400),
        }
    )
    shares = random.dirichlet(np.ones(scores), 400) if scores > 1 else random.random(400)
    losses, days = random.random(400), np.arange(400) // 20
    return reference_profile(table, shares, losses, KINDS, {}, days, [])  # type: ignore[arg-type] # kinds


def test_monitoring_reads_each_column_as_it_was_meant(
    write: Callable[..., Written], champion: Callable[[Written], MonitoredModel]
) -> None:
    written = write("binary")
    began = microseconds(datetime.now(UTC))
    sent = written.predict(ROW, SECOND)
    day = written.read(champion(written))

    predictions = sent["predictions"]
    order = sent_order(day, sent["request_id"])
    assert day.lines.scores[order].tolist() == [answer["score"] for answer in predictions]
    assert day.lines.moment.tolist() == [microseconds(EVENT)] * 2
    assert all(
        began <= served_at <= microseconds(datetime.now(UTC)) for served_at in day.lines.served_at
    )
    logged = written.table("predictions")
    assert logged.column(log.key_column("customer")).to_pylist() == ["c-17", "18"]
    assert day.sample.take(pa.array(order)).to_pydict() == {
        "age": [41.0, 7.0],
        "income": [1250.5, 1250.5],
        "member": ["true", None],
        "city": ["Oslo", "7"],
        "joined": ["2020-02-29", "30 February"],
    }
    assert (day.digest, day.profile.rows) == (sent["model"], 2)


def test_monitoring_reads_the_scores_of_several_classes_in_their_order(
    write: Callable[..., Written], champion: Callable[[Written], MonitoredModel]
) -> None:
    written = write("multiclass")
    sent = written.predict(ROW, SECOND)
    day = written.read(champion(written))

    scores = [list(answer["scores"].values()) for answer in sent["predictions"]]
    assert day.lines.scores[sent_order(day, sent["request_id"])].tolist() == scores
    assert list(sent["predictions"][0]["scores"]) == list(champion(written).classes)


def test_a_row_without_its_own_time_counts_when_it_was_served(
    write: Callable[..., Written], champion: Callable[[Written], MonitoredModel]
) -> None:
    written = write("regression")
    sent = written.predict({"age": 41})
    moment = written.table("predictions")[log.SERVED_AT][0].as_py()
    table = written.days(champion(written), moment.date(), log.ROW_REFERENCE)[moment.date()]

    assert table.lines.moment.tolist() == table.lines.served_at.tolist() == [microseconds(moment)]
    assert table.lines.scores.tolist() == [sent["predictions"][0]["value"]]
    assert written.table("predictions")[log.LABEL].to_pylist() == [None]


def test_monitoring_joins_feedback_to_its_row(
    write: Callable[..., Written], champion: Callable[[Written], MonitoredModel]
) -> None:
    written = write("binary")
    sent = written.predict(ROW, SECOND)
    written.feedback({"request_id": sent["request_id"], "row": 1, "label": "yes"})
    day = written.read(champion(written))
    versions = from_feedback(written.store, written.problem)
    labels = JoinedLabels([day], versions, Lateness(np.zeros(1, np.int64)))
    first, second = sent_order(day, sent["request_id"])

    found = labels.of(day, datetime.now(UTC))
    assert [found[first], found[second]] == [None, "yes"]
    received = written.table("feedback")[log.RECEIVED_AT][0].as_py()
    served = written.table("predictions")[log.SERVED_AT][1].as_py()
    known = EVENT + (received - served)
    assert labels.arrivals(day).tolist() == [microseconds(known)]
    assert labels.of(day, known - timedelta(microseconds=1)) == [None, None]
    assert labels.of(day, known)[second] == "yes"


def sent_order(day: ServedDay, request: str) -> list[int]:
    """Return the positions of a request's two rows, which are kept in the order of their hashes."""
    references = [
        pa.chunked_array([pa.array([request] * 2)]),
        pa.chunked_array([pa.array([0, 1], pa.int32())]),
    ]
    return [day.lines.keys.tolist().index(key) for key in hash_keys(references).tolist()]


def test_a_canary_is_sent_rows_as_their_callers_sent_them(write: Callable[..., Written]) -> None:
    written = write("binary")
    written.predict(ROW)
    rows = bake_rows(
        written.store, written.problem, written.model, written.model, datetime.now(UTC)
    )

    columns = {column.name for column in written.model.contract.columns}
    assert rows[-1] == {name: value for name, value in ROW.items() if name in columns}
    assert len(rows) == 4 > len(GOLDEN) - 2  # three of five golden rows can be sent


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_files_have_the_columns_and_types_that_the_contract_names(
    kind: str, write: Callable[..., Written]
) -> None:
    written = write(kind)
    sent = written.predict(ROW)
    written.feedback({"request_id": sent["request_id"], "label": 1.0})
    contract = written.model.contract
    columns = log.prediction_columns(
        multiclass=kind == "multiclass",
        keys=contract.key,
        features=[(column.name, column.type == "number") for column in contract.columns],
    )

    for kept, expected in (("predictions", columns), ("feedback", log.FEEDBACK_COLUMNS)):
        schema = written.table(kept).schema
        types = [(column.name, log.ARROW_TYPES[column.type]) for column in expected]
        assert [(field.name, str(field.type)) for field in schema] == types
    assert all(column.meaning for column in columns)


def test_the_stored_names_are_what_older_logs_have() -> None:
    columns = log.prediction_columns(multiclass=False, keys=["a"], features=[("b", True)])
    several = log.prediction_columns(multiclass=True, keys=[], features=[])

    names = ["request_id", "row", "served_at", "event_time", "digest", "score", "label"]
    assert [column.name for column in columns] == [*names, "key.a", "in.b"]
    assert [column.name for column in several] == [*names[:5], "scores", "label"]
    feedback = ["request_id", "row", "received_at", "label"]
    assert [column.name for column in log.FEEDBACK_COLUMNS] == feedback
