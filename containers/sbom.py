"""Write what an image holds as CycloneDX 1.5 JSON: `sbom.py IMAGE DPKG_STATUS OUT`.

Run while an image is built, by the interpreter of the environment that goes into it; standard
library only, so that nothing has to be installed for it.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path

Component = dict[str, object]


def python_packages() -> Iterator[Component]:
    """Yield the distributions of this interpreter, by name."""
    packages = {(part.metadata["Name"].lower(), part.version) for part in distributions()}
    for name, version in sorted(packages):
        yield component(name, version, f"pkg:pypi/{name}@{version}")


def debian_packages(status: str) -> Iterator[Component]:
    r"""Yield the installed packages of dpkg's status file.

    >>> [part["name"] for part in debian_packages("Package: a\nStatus: install ok installed\n"
    ...  "Architecture: all\nVersion: 1\n\nPackage: b\nStatus: deinstall ok config-files\n")]
    ['a']
    """
    for paragraph in status.split("\n\n"):
        pairs = (line.partition(": ") for line in paragraph.splitlines() if line[:1].strip())
        fields = {name: value for name, _, value in pairs}
        if fields.get("Status", "").endswith(" installed"):
            name, version = fields["Package"], fields["Version"]
            purl = f"pkg:deb/debian/{name}@{version}?arch={fields['Architecture']}"
            yield component(name, version, purl)


def component(name: str, version: str, purl: str) -> Component:
    """Return one entry."""
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}


def bill(image: str, status: str) -> dict[str, object]:
    """Return the whole document; the same parts give the same bytes."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": image, "bom-ref": image}},
        "components": [*python_packages(), *debian_packages(status)],
    }


def main(words: Sequence[str]) -> None:
    """Write the file."""
    image, status, out = words
    document = bill(image, Path(status).read_text(encoding="utf-8"))
    Path(out).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
