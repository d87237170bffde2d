"""The service's protocol is said once, and the service, its callers and the manifests keep to it."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest
import yaml
from bundle_factory import ROW, make_bundle, make_keys

import bundle
from bundle import signing
from contract import prediction_log as log
from contract import service_protocol as protocol
from contract.serving_state import Tally
from serving import answers
from serving.answers import Answer
from serving.served_model import ServedModel
from serving.service_state import ServiceState

ROOT = Path(__file__).parents[2]
ROOMS = ("bundle", "benchmarks", "dags", "demo", "methods", "pages", "perennial", "plugins")
ROOMS += ("rehearsal", "serving", "tasks", "tests/serving", "tests/support")
STANDALONE = "benchmarks/k8s/inside/load.py"  # runs in images without our code
ROUTES = {protocol.INFO, protocol.READY, protocol.LIVE, protocol.OPENAPI}


def parsed() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def texts(tree: ast.Module) -> Iterator[str]:
    """Yield each string of the code; docstrings and other bare strings are no names."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in bare:
            if isinstance(node.value, str):
                yield node.value
            elif isinstance(node.value, bytes):
                yield node.value.decode("latin-1")


def test_the_names_on_the_wire_are_those_that_callers_know() -> None:
    routes = (protocol.PREDICT, protocol.PREDICT_BATCH, protocol.FEEDBACK)
    probes = (protocol.READY, protocol.LIVE, protocol.HEALTH)

    assert (
        routes == protocol.PREDICTION_ROUTES == ("/v1/predict", "/v1/predict_batch", "/v1/feedback")
    )
    assert probes == ("/readyz", "/livez", "/healthz")
    assert (protocol.INFO, protocol.METRICS) == ("/info", "/metrics")
    assert (protocol.OPENAPI, protocol.DOCUMENTATION) == ("/docs.json", "/")
    assert (protocol.CANARY, protocol.AUTHORIZATION) == ("x-perennial-canary", "authorization")
    assert protocol.bearer("k") == "Bearer k"


def test_no_route_or_header_is_written_elsewhere() -> None:
    found = [
        (path, text)
        for path, tree in parsed()
        if path != STANDALONE
        for text in texts(tree)
        if text in ROUTES or text in protocol.PREDICTION_ROUTES or protocol.CANARY in text
    ]

    assert found == []


def test_no_column_of_a_log_is_written_elsewhere() -> None:
    """In all code the prefixes and what only a log has; in what reads a log every name.

    Tests of the stored files name the columns as their readers of other years do.
    """
    everywhere = {log.SERVED_AT, log.RECEIVED_AT, log.key_column(""), log.feature_column("")}
    columns = log.prediction_columns(multiclass=False, keys=(), features=())
    names = {column.name for column in (*columns, *log.FEEDBACK_COLUMNS)} | {log.SCORES}
    readers = []
    found = []
    for path, tree in parsed():
        imported = {
            alias.name if node.module == "contract" else str(node.module)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        is_reader = path.startswith("tasks/") and bool(
            imported & {"prediction_log", "contract.prediction_log"}
        )
        readers += [path] * is_reader
        forbidden = everywhere | names if is_reader else everywhere
        if not path.startswith("tests/serving/"):
            found += [(path, text) for text in texts(tree) if text in forbidden]

    assert found == []
    assert len(readers) >= 3, readers


def test_the_manifests_probe_and_scrape_what_the_service_answers() -> None:
    folder = ROOT / "k8s"
    deployment = yaml.safe_load(
        (folder / "base/serving/deployment/deployment-serving.yaml").read_text()
    )
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    monitor = yaml.safe_load(
        (folder / "components/metrics/servicemonitor-serving.yaml").read_text()
    )

    paths = {
        name: container[name]["httpGet"]["path"]
        for name in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert paths == {
        "startupProbe": protocol.LIVE,
        "readinessProbe": protocol.READY,
        "livenessProbe": protocol.LIVE,
    }
    assert [one["path"] for one in monitor["spec"]["endpoints"]] == [protocol.METRICS]


@pytest.fixture(params=["binary", "multiclass", "regression"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> ServiceState:
    keys = make_keys(tmp_path)
    made = make_bundle(tmp_path / "bundle", "p", keys, kind=request.param)
    state = ServiceState("p")
    state.served = ServedModel(bundle.load(made.folder, keys=signing.public_keys(keys.folder)))
    return state


def body(answer: Answer, kind: Any) -> Any:
    """Return an answer's body; it has the fields of its kind, of their types, and no others."""
    document = msgspec.json.decode(answer.body)
    assert set(document) <= set(get_type_hints(kind)), document
    msgspec.convert(document, kind, strict=True)
    return document


def test_every_answer_has_the_fields_of_the_protocol(state: ServiceState) -> None:
    one = body(answers.predict(state, msgspec.json.encode(ROW)), protocol.PredictionAnswer)
    batch = body(
        answers.predict_batch(state, msgspec.json.encode({"rows": [ROW, ROW]})),
        protocol.BatchAnswer,
    )
    label = protocol.FeedbackRequest(request_id=one["request_id"], label="yes", row=0)
    accepted = answers.feedback(state, msgspec.json.encode([label]))

    assert (
        batch["predictions"]
        == [{name: one[name] for name in get_type_hints(protocol.ScoreFields) if name in one}] * 2
    )
    assert body(accepted, protocol.FeedbackAnswer) == {"accepted": 1}
    assert body(answers.ready(state), protocol.ReadyAnswer)["ready"] is True


def test_info_has_the_fields_of_the_protocol(state: ServiceState) -> None:
    served = state.served
    assert served is not None
    state.load_failure = {"digest": "b" * 64, "why": "damaged", "final": True}
    answer = answers.predict(state, msgspec.json.encode(ROW))
    state.counters.tallies.add(served, 200, 0.001, answer.entry)
    document = body(answers.info(state), protocol.InfoAnswer)

    assert set(document) == set(get_type_hints(protocol.InfoAnswer))
    assert Tally.model_validate(document["models"][served.digest]).statuses == {200: 1}
    assert body(answers.ready(state), protocol.ReadyAnswer)["detail"].endswith("damaged")


@pytest.mark.parametrize(
    ("content", "status"), [(b"{", 400), (b'{"age":"x"}', 422), (b'{"city":1}', 422)]
)
def test_an_error_has_the_fields_of_the_protocol(
    state: ServiceState, content: bytes, status: int
) -> None:
    answer = answers.predict(state, content)

    assert answer.status == status
    assert body(answer, protocol.ErrorAnswer)["error"]


def test_the_openapi_models_and_the_decoder_have_the_fields_of_the_protocol() -> None:
    from serving import application  # BentoML takes a second to import

    pairs = {
        application.PredictionFields: protocol.ScoreFields,
        application.Prediction: protocol.PredictionAnswer,
        application.Predictions: protocol.BatchAnswer,
        application.Batch: protocol.BatchRequest,
        application.Label: protocol.FeedbackRequest,
        application.Accepted: protocol.FeedbackAnswer,
    }
    for model, kind in pairs.items():
        assert set(model.model_fields) == set(get_type_hints(kind)), model
    decoded = {field.name for field in msgspec.structs.fields(answers.FeedbackLabel)}
    assert decoded == set(get_type_hints(protocol.FeedbackRequest))
