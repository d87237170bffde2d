"""The demo stands outside the product: no image holds it, and no module name in it is used twice."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_image_holds_the_demo() -> None:
    files = [ROOT / ".dockerignore", *(ROOT / "containers").rglob("Containerfile")]

    assert len(files) > 1
    assert [file for file in files if "demo" in file.read_text(encoding="utf-8")] == []


def test_a_module_name_stands_once_within_the_demo() -> None:
    names = [path.name for path in (ROOT / "demo").rglob("*.py") if path.name != "__init__.py"]

    assert len(names) == len(set(names))
