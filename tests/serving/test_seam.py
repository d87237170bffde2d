"""What the service leans on in BentoML: the application it builds, its routes, its own answers.

The lane wraps what `Service.to_asgi` gives. Should a release of BentoML change that, these tests
say what; the same routes answer without the lane.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundle_factory import ROW, make_bundle, make_keys
from service_process import API_KEY, Service, wait_for

import bundle
from bundle import signing
from contract.canonical_json import sha256
from serving.lane import PASSED
from serving.served import Served

pytestmark = pytest.mark.slow  # BentoML takes seconds to start

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seam")


@pytest.fixture(scope="module")
def bare(folder: Path) -> Iterator[Service]:
    """BentoML's own application, without the lane around it."""
    keys = make_keys(folder)
    make_bundle(folder / "bundle", "seam", keys)
    variables = {
        "PERENNIAL_VERIFY_KEYS": str(keys.folder),
        "PERENNIAL_API_KEY_SHA256": sha256(API_KEY.encode()),
        "PYTHONPATH": str(ROOT),
    }
    log = folder / "service.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("bare_service.py")), str(folder)],
            env=os.environ | variables,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    port = wait_for(lambda: (folder / "port").exists() and (folder / "port").read_text())
    service = Service(process, f"http://127.0.0.1:{port}", folder, log)
    try:
        assert service.ask("GET", "/readyz").status == 503
        (folder / "go").touch()
        wait_for(lambda: service.ask("GET", "/readyz").status == 200)
        yield service
    finally:
        process.kill()
        process.wait()


def test_bentoml_has_every_route_that_the_lane_passes_on(bare: Service) -> None:
    found = {path: bare.ask("GET", path).status for path in PASSED}

    assert found == dict.fromkeys(PASSED, 200)


def test_without_the_lane_a_row_gets_the_same_answer(bare: Service, folder: Path) -> None:
    keys = signing.public_keys(folder / "verify")
    served = Served(bundle.load(folder / "bundle", keys=keys))

    answer = bare.ask("POST", "/v1/predict", ROW)

    assert answer.status == 200
    assert answer.json["score"] == served.scores([ROW])[0]
    segment = wait_for(lambda: [*(folder / "predictions").glob("*.*")])[0]
    wait_for(lambda: answer.json["request_id"] in segment.read_text())


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/predict", {"age": "x"}, 422),
        ("/v1/predict_batch", {"rows": [ROW, {"age": 1}]}, 200),
        ("/v1/feedback", {"request_id": "mine", "label": 1}, 422),
        ("/v1/feedback", {"request_id": "018bcfe5-6800-7000-8000-000000000000", "label": 1}, 200),
        ("/info", {}, 200),
    ],
)
def test_without_the_lane_the_other_routes_answer_alike(
    bare: Service, path: str, body: object, status: int
) -> None:
    assert bare.ask("POST", path, body).status == status


def test_without_the_lane_the_key_is_asked_for_as_well(bare: Service) -> None:
    assert bare.ask("POST", "/v1/predict", ROW, {}).status == 401


def test_our_metrics_follow_bentomls_own(bare: Service) -> None:
    assert bare.ask("GET", "/metrics").body.endswith(b"perennial_ready 1\n")


def test_bentoml_keeps_its_files_in_our_folder(bare: Service, folder: Path) -> None:
    assert (folder / "bentoml").is_dir()
    assert bare.process.poll() is None
