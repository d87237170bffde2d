"""What the service leans on in BentoML: the application it builds, its routes, its own answers.

The fast path wraps what `Service.to_asgi` gives. Should a release of BentoML change that, these tests
say what; the same routes answer without the fast path.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from bundle_factory import ROW, make_bundle, make_keys
from service_process import API_KEY, Service
from waiting import wait_until

import bundle
from bundle import signing
from contract.canonical_json import sha256
from contract.service_protocol import FEEDBACK, INFO, METRICS, PREDICT, PREDICT_BATCH, READY
from serving.fast_path import BENTOML_PATHS
from serving.served_model import ServedModel

pytestmark = pytest.mark.slow  # BentoML takes seconds to start

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seam")


@pytest.fixture(scope="module")
def bare(folder: Path) -> Iterator[Service]:
    """BentoML's own application, without the fast path around it."""
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
    said = folder / "port"
    port = wait_until(lambda: said.exists() and said.read_text(), "the service says its port")
    service = Service(process, f"http://127.0.0.1:{port}", folder, log)
    try:
        assert service.ask("GET", READY).status == 503
        (folder / "go").touch()
        service.wait_until_ready()
        yield service
    finally:
        process.kill()
        process.wait()


def test_bentoml_has_every_route_that_the_fast_path_passes_on(bare: Service) -> None:
    found = {path: bare.ask("GET", path).status for path in BENTOML_PATHS}

    assert found == dict.fromkeys(BENTOML_PATHS, 200)


def test_without_the_fast_path_a_row_gets_the_same_answer(bare: Service, folder: Path) -> None:
    keys = signing.public_keys(folder / "verify")
    served = ServedModel(bundle.load(folder / "bundle", keys=keys))

    answer = bare.ask("POST", PREDICT, ROW)

    assert answer.status == 200
    assert answer.json["score"] == served.scores([ROW])[0]
    (segment, *_) = wait_until(
        lambda: [*(folder / "predictions").glob("*.*")], "a segment of the log is begun"
    )
    wait_until(lambda: answer.json["request_id"] in segment.read_text(), "the row is written")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (PREDICT, {"age": "x"}, 422),
        (PREDICT_BATCH, {"rows": [ROW, {"age": 1}]}, 200),
        (FEEDBACK, {"request_id": "mine", "label": 1}, 422),
        (FEEDBACK, {"request_id": "018bcfe5-6800-7000-8000-000000000000", "label": 1}, 200),
        (INFO, {}, 200),
    ],
)
def test_without_the_fast_path_the_other_routes_answer_alike(
    bare: Service, path: str, body: object, status: int
) -> None:
    assert bare.ask("POST", path, body).status == status


def test_without_the_fast_path_the_key_is_asked_for_as_well(bare: Service) -> None:
    assert bare.ask("POST", PREDICT, ROW, {}).status == 401


def test_our_metrics_follow_bentomls_own(bare: Service) -> None:
    assert bare.ask("GET", METRICS).body.endswith(b"perennial_ready 1\n")


def test_bentoml_keeps_its_files_in_our_folder(bare: Service, folder: Path) -> None:
    assert (folder / "bentoml").is_dir()
    assert bare.process.poll() is None
