"""The manifests are held to Kubernetes' own schemas, offline."""

import copy
import subprocess
import sys
from typing import Any

import pytest
import validate
from fixtures_airflow import ROOT

GOOD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "api"},
    "spec": {"ports": [{"name": "http", "port": 8080}]},
}


def test_an_object_that_fits_has_no_fault() -> None:
    assert validate.fault(GOOD) is None


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [("port", "8080", "'8080' is not of type 'integer'"), ("prot", 1, "'prot'")],
)
def test_a_wrong_type_and_an_unknown_field_are_named(key: str, value: object, fault: str) -> None:
    bad = copy.deepcopy(GOOD)
    bad["spec"]["ports"][0][key] = value

    assert fault in str(validate.fault(bad))


@pytest.mark.slow
def test_every_overlay_fits() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "k8s" / "validate.py"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout
    assert "0 faults" in done.stdout
