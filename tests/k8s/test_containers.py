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


Instruction = tuple[str, str]


def instructions(name: str) -> list[Instruction]:
    """Return every instruction of the image's file, those of other targets included."""
    file = ROOT / "containers" / name / "Containerfile"
    text = (file if file.exists() else ROOT / "containers" / "Containerfile").read_text()
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    split = [line.split(None, 1) for line in lines if not line.startswith("#")]
    return [(word, " ".join(rest.split())) for word, rest in split]


def stages(name: str) -> dict[str, list[Instruction]]:
    """Return the stages by name; the last one of a file with one target has the image's name."""
    result: dict[str, list[Instruction]] = {}
    for word, rest in instructions(name):
        if word == "FROM":
            _, _, alias = rest.partition(" AS ")
            result[alias or name] = []
        if result:
            list(result.values())[-1].append((word, rest))
    return result


def final(name: str) -> list[Instruction]:
    """Return what the image itself is made of: its stage, and the stages that it begins from."""
    by_name, chain, stage = stages(name), [], name
    while stage in by_name:
        chain = by_name[stage] + chain
        stage = by_name[stage][0][1].partition(" AS ")[0]
    return chain


def build(name: str) -> list[Instruction]:
    """Return what runs for the image: all stages that its own stages begin from or copy from."""
    by_name, waiting, seen = stages(name), [name], []
    while waiting:
        stage = waiting.pop()
        if stage not in by_name or stage in seen:
            continue
        seen.append(stage)
        waiting.append(by_name[stage][0][1].partition(" AS ")[0])
        waiting += [
            rest.split("--from=")[1].split()[0]
            for word, rest in by_name[stage]
            if word == "COPY" and "--from=" in rest
        ]
    return [instruction for stage in by_name if stage in seen for instruction in by_name[stage]]


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_runs_as_a_fixed_user_that_is_not_root(name: str) -> None:
    users = [rest for word, rest in final(name) if word == "USER"]

    assert len(users) == 1
    assert int(users[0].partition(":")[0]) == IMAGES[name]


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_says_what_it_is_and_what_it_was_made_from(name: str) -> None:
    label = " ".join(rest for word, rest in final(name) if word == "LABEL")

    assert f'org.opencontainers.image.title="perennial-{name}"' in label

    for key in ("title", "source", "revision", "licenses"):
        assert f"org.opencontainers.image.{key}=" in label


@pytest.mark.parametrize("name", IMAGES)
def test_a_base_is_chosen_from_outside_and_has_a_version(name: str) -> None:
    found = instructions(name)
    bases = [rest for word, rest in found if word == "ARG" and rest.startswith(("BASE=", "BUILD="))]

    assert bases
    assert [base for base in bases if base.endswith("latest") or ":" not in base] == []
    origins = {rest.split()[0] for word, rest in found if word == "FROM"}
    assert origins <= {"${BASE}", "${BUILD}", "scratch", *stages(name)}


@pytest.mark.parametrize("name", ["airflow", "serving", "tasks"])
def test_pythons_own_library_is_compiled_where_it_stays(name: str) -> None:
    (compiles,) = (rest for word, rest in final(name) if word == "RUN" and "compileall" in rest)

    assert 'get_path("stdlib")' in compiles


@pytest.mark.parametrize("name", ["airflow", "serving", "tasks"])
def test_what_is_installed_is_the_lock_and_nothing_else(name: str) -> None:
    script = (ROOT / "containers" / "install.sh").read_text()
    runs = [rest for word, rest in build(name) if word == "RUN"]
    installs = [rest for rest in [*runs, *script.splitlines()] if "pip " in rest]

    assert len(installs) == 2
    assert [rest for rest in installs if "--require-hashes" not in rest] == []
    assert f"/src/install.sh {name}" in runs
    assert [word for word, rest in build(name) if rest.startswith(f"locks/{name}.txt")]


@pytest.mark.parametrize("name", IMAGES)
def test_nothing_is_installed_where_it_stays(name: str) -> None:
    runs = [rest for word, rest in final(name) if word == "RUN"]

    assert [rest for rest in runs if any(tool in rest for tool in ("pip", "apt-get", "gcc"))] == []


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_carries_its_bill_of_materials(name: str) -> None:
    runs = [rest for word, rest in build(name) if word == "RUN"]
    written = [rest for rest in runs if "sbom.py" in rest or rest == f"/src/install.sh {name}"]
    copied = [rest for word, rest in final(name) if word == "COPY"]

    assert len(written) == 1
    assert (
        f"perennial-{name} " in written[0]
        or 'sbom.py "perennial-$image"' in (ROOT / "containers" / "install.sh").read_text()
    )
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
