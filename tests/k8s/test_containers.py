"""What each Containerfile promises, and what may enter a build."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from contract.kubernetes import STAGE_USER

ROOT = Path(__file__).parents[2]
IMAGES = {"airflow": 50_000, "postgres": 10_003, "seaweedfs": 10_002, "serving": 10_004}
IMAGES |= {"tasks": STAGE_USER}


def instructions(name: str) -> list[tuple[str, str]]:
    text = (ROOT / "containers" / name / "Containerfile").read_text()
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    parted = [line.split(None, 1) for line in lines if not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, rest in parted]


def last_stage(name: str) -> list[tuple[str, str]]:
    found = instructions(name)
    begins = max(place for place, (word, _) in enumerate(found) if word == "FROM")
    return found[begins:]


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_runs_as_a_fixed_user_that_is_not_root(name: str) -> None:
    users = [rest for word, rest in last_stage(name) if word == "USER"]

    assert len(users) == 1
    assert int(users[0].partition(":")[0]) == IMAGES[name]


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_says_what_it_is_and_what_it_was_made_from(name: str) -> None:
    (label,) = (rest for word, rest in last_stage(name) if word == "LABEL")

    for key in ("title", "source", "revision", "licenses"):
        assert f"org.opencontainers.image.{key}=" in label


@pytest.mark.parametrize("name", IMAGES)
def test_a_base_is_chosen_from_outside_and_has_a_version(name: str) -> None:
    found = instructions(name)
    bases = [rest for word, rest in found if word == "ARG" and rest.startswith(("BASE=", "BUILD="))]

    assert bases
    assert [base for base in bases if base.endswith("latest") or ":" not in base] == []
    origins = {rest.split()[0] for word, rest in found if word == "FROM"}
    assert origins <= {"${BASE}", "${BUILD}", "base", "scratch"}


@pytest.mark.parametrize("name", ["airflow", "serving", "tasks"])
def test_pythons_own_library_is_compiled_where_it_stays(name: str) -> None:
    (compiles,) = (
        rest for word, rest in last_stage(name) if word == "RUN" and "compileall" in rest
    )

    assert 'get_path("stdlib")' in compiles


@pytest.mark.parametrize("name", ["airflow", "serving", "tasks"])
def test_what_is_installed_is_the_lock_and_nothing_else(name: str) -> None:
    installs = [rest for word, rest in instructions(name) if word == "RUN" and "pip " in rest]

    assert installs
    assert [rest for rest in installs if "--require-hashes" not in rest] == []
    assert any(f"/src/locks/{name}.txt" in rest for rest in installs)


@pytest.mark.parametrize("name", IMAGES)
def test_nothing_is_installed_where_it_stays(name: str) -> None:
    runs = [rest for word, rest in last_stage(name) if word == "RUN"]

    assert [rest for rest in runs if any(tool in rest for tool in ("pip", "apt-get", "gcc"))] == []


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_carries_its_bill_of_materials(name: str) -> None:
    made = [rest for word, rest in instructions(name) if word == "RUN" and "sbom.py" in rest]
    copied = [rest for word, rest in last_stage(name) if word == "COPY"]

    assert len(made) == 1
    assert f"perennial-{name} " in made[0]
    assert any("/sbom.cdx.json" in rest or "/root-of-image" in rest for rest in copied)


def test_only_what_is_named_enters_a_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    lines = [line for line in lines if not line.startswith("#")]

    assert lines[0] == "*"
    for name in IMAGES:
        for word, rest in instructions(name):
            if word == "COPY" and "--from=" not in rest:
                for source in rest.split()[:-1]:
                    assert any(f"!{part}" in lines for part in (source, source.split("/")[0])), (
                        source
                    )


def test_a_bill_of_materials_names_every_part_once(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36\n"
    )
    out = tmp_path / "bill.json"
    command = [sys.executable, ROOT / "containers" / "sbom.py", "image", status, out]
    subprocess.run(command, check=True)
    bill = json.loads(out.read_text())
    references = [part["bom-ref"] for part in bill["components"]]

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert len(references) == len(set(references))
    assert "pkg:deb/debian/libc6@2.36?arch=amd64" in references
    assert any(reference.startswith("pkg:pypi/numpy@") for reference in references)
