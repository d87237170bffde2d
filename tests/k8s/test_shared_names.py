"""What the manifests and an image spell themselves is what the code spells."""

import re
from pathlib import Path

from contract.kubernetes import HTTP_PORT, READS_SOURCES, STAGE_USER, USES_KUBERNETES_API

ROOT = Path(__file__).parents[2]
MANIFESTS = "\n".join(path.read_text() for path in sorted((ROOT / "k8s").rglob("*.yaml")))


def test_the_stages_image_and_the_bootstrap_have_the_stages_user() -> None:
    image = (ROOT / "containers" / "Containerfile").read_text()

    assert f"\nUSER {STAGE_USER}:{STAGE_USER}\n" in image
    assert f"stage:x:{STAGE_USER}:{STAGE_USER}:" in image
    assert set(re.findall(r"runAs(?:User|Group): (100\d\d)\b", MANIFESTS)) >= {str(STAGE_USER)}


def test_every_port_of_http_is_the_one() -> None:
    ports = set(re.findall(r"\{ name: http, (?:port|containerPort): (\d+)", MANIFESTS))

    assert ports == {str(HTTP_PORT)}


def test_each_label_that_the_code_gives_a_pod_is_selected_by_a_policy() -> None:
    for label in (READS_SOURCES, USES_KUBERNETES_API):
        assert f'{{ matchLabels: {{ {label}: "true" }} }}' in MANIFESTS
