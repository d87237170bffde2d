"""The state that an earlier version left: store, public key, Airflow's database (tests/states)."""

import tarfile
from functools import cache
from pathlib import Path

ARCHIVE = Path(__file__).parents[1] / "states" / "e18a007.tar.xz"


@cache
def members() -> dict[str, bytes]:
    """Return every file of the archive by its name."""
    with tarfile.open(ARCHIVE) as archive:
        files = [(member.name, archive.extractfile(member)) for member in archive]
        return {name: file.read() for name, file in files if file is not None}


def objects() -> dict[str, bytes]:
    """Return every object of the store by its key."""
    return {
        name.removeprefix("store/"): body
        for name, body in members().items()
        if name.startswith("store/")
    }


def verify_keys() -> list[bytes]:
    """Return the public keys, one of which signed each bundle."""
    return [body for name, body in members().items() if name.startswith("verify/")]
