"""What the service shows of itself: probes, /info, metrics, documentation."""

import json
import re
from pathlib import Path

import pytest
from bundle_factory import ROW, Made
from prometheus_client.parser import text_string_to_metric_families
from service_process import Service

from contract.service_protocol import (
    FEEDBACK,
    HEALTH,
    INFO,
    LIVE,
    METRICS,
    OPENAPI,
    PREDICT,
    PREDICT_BATCH,
    READY,
)

pytestmark = pytest.mark.slow  # the service takes seconds to start

DASHBOARD = Path(__file__).parents[2] / "k8s" / "components" / "metrics" / "dashboard.json"
KINDS = {"counter", "gauge", "histogram"}
ROUTES = {
    PREDICT,
    PREDICT_BATCH,
    FEEDBACK,
    INFO,
    LIVE,
    HEALTH,
    READY,
    METRICS,
}


def metric(service: Service, name: str) -> float:
    text = service.ask("GET", METRICS).body.decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found is not None, text
    return float(found.group(1))


@pytest.mark.parametrize("path", [LIVE, HEALTH, READY])
def test_probes_need_no_key(shared_service: Service, path: str) -> None:
    assert shared_service.ask("GET", path, headers={}).status == 200


def test_info_tells_who_serves(shared_service: Service, shared_bundle: Made) -> None:
    found = shared_service.ask("GET", INFO).json

    assert (found["problem"], found["digest"]) == ("shared-service", shared_bundle.digest)
    assert (found["ready"], found["error"]) == (True, None)
    assert found["contract"]["columns"][0]["name"] == "age"


def test_a_prediction_is_counted(shared_service: Service) -> None:
    name = 'perennial_requests_total{route="/v1/predict",status="200"}'
    shared_service.ask("POST", PREDICT, ROW)
    before = metric(shared_service, name)
    rows_before = metric(shared_service, "perennial_predicted_rows_total")
    shared_service.ask("POST", PREDICT, ROW)

    assert metric(shared_service, name) == before + 1
    assert metric(shared_service, "perennial_predicted_rows_total") == rows_before + 1


def test_a_value_that_the_encoder_could_not_use_is_counted(shared_service: Service) -> None:
    name = 'perennial_coercions_total{column="joined"}'
    before = metric(shared_service, name)
    shared_service.ask("POST", PREDICT, {"age": 1, "joined": "30 February"})

    assert metric(shared_service, name) == before + 1


def test_buckets_add_up(shared_service: Service) -> None:
    shared_service.ask("POST", PREDICT, ROW)
    text = shared_service.ask("GET", METRICS).body.decode()
    samples = {
        (sample.name.removeprefix("perennial_request_seconds_"), sample.labels.get("le")): sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("route") == PREDICT
    }

    assert samples["bucket", "+Inf"].value == samples["count", None].value > 0
    assert samples["sum", None].value > 0


def test_prometheus_reads_it_and_each_name_follows_its_rules(shared_service: Service) -> None:
    """Parsing takes `_total` off a counter's name and refuses a sample of another's."""
    text = shared_service.ask("GET", METRICS).body.decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))

    assert len(list(text_string_to_metric_families(text))) == len(kinds)
    assert [name for name, kind in kinds.items() if kind not in KINDS] == []
    assert all(name.endswith("_total") == (kind == "counter") for name, kind in kinds.items())


def test_the_dashboard_asks_for_what_is_there(shared_service: Service) -> None:
    shared_service.ask("POST", PREDICT, ROW)
    text = shared_service.ask("GET", METRICS).body.decode()
    there = {sample.name for one in text_string_to_metric_families(text) for sample in one.samples}
    asked = {name for words in expressions() for name in re.findall(r"\bperennial_\w+", words)}

    # The label is that of the pods, which the ServiceMonitor names.
    assert asked - {"perennial_problem"} <= there


def expressions() -> list[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_a_scan_for_paths_makes_no_new_series(shared_service: Service) -> None:
    shared_service.ask("GET", "/wp-login.php")
    before = len(shared_service.ask("GET", METRICS).body.splitlines())
    for place in range(20):
        shared_service.ask("GET", f"/scan/{place}")
        shared_service.ask("GET", f"/static_content/{place}")

    assert len(shared_service.ask("GET", METRICS).body.splitlines()) == before


def test_the_document_mentions_every_route(shared_service: Service) -> None:
    document = shared_service.ask("GET", OPENAPI, headers={}).json

    assert set(document["paths"]) == ROUTES
    assert document["paths"][PREDICT]["post"]["security"] == [{"key": []}]
    assert set(document["paths"][INFO]) == {"get"}


def test_the_document_has_the_columns_of_the_model(shared_service: Service) -> None:
    row = shared_service.ask("GET", OPENAPI).json["components"]["schemas"]["Row"]

    assert row["required"] == ["age"]
    assert row["properties"]["age"] == {"type": "number", "minimum": 0.0, "maximum": 120.0}
    assert set(row["properties"]) == set(ROW)


def test_the_page_loads_nothing_from_elsewhere(shared_service: Service) -> None:
    page = shared_service.ask("GET", "/", headers={})
    document = shared_service.ask("GET", OPENAPI).body.decode()
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.body.decode())

    assert parts == ["static_content/swagger-ui.css", "static_content/swagger-ui-bundle.js"]
    assert [shared_service.ask("GET", f"/{part}").status for part in parts] == [200, 200]
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "http://" not in document
    assert "https://" not in document
