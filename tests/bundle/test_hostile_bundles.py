"""Flipped bits are refused; a re-hashed bundle is refused or scores, and never crashes."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

import bundle
from bundle import BundleRefused, signing
from contract.canonical_json import canonical_json, sha256

FLIPS = 300


def flip(data: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1 << bit
    return bytes(changed)


@pytest.mark.slow
def test_every_flipped_bit_is_refused(tmp_path: Path, parts: Any) -> None:
    chance = random.Random(3)
    key = signing.new_key()
    folder = tmp_path / "b"
    digest = parts.write(folder, signing_key=key)
    keys = [signing.public_pem(key)]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    accepted = []

    for _ in range(FLIPS):
        path = chance.choice(files)
        before = path.read_bytes()
        path.write_bytes(flip(before, chance.randrange(len(before)), chance.randrange(8)))
        try:
            bundle.load(folder, digest=digest, keys=keys)
            accepted.append(path.name)
        except BundleRefused:
            pass
        path.write_bytes(before)

    assert accepted == []
    assert bundle.load(folder, digest=digest, keys=keys).digest == digest


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_rehashed_bundle_never_crashes(
    tmp_path: Path, new_parts: Any, new_table: Any, seed: int
) -> None:
    """Without a signature valid data of another model load; only `BundleRefused` may come out."""
    chance = random.Random(seed)
    parts = new_parts(["binary", "multiclass", "regression"][seed])
    folder = tmp_path / "b"
    parts.write(folder)
    table = new_table(parts.golden_rows)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    endings = {"refused": 0, "loaded": 0}

    for number in range(FLIPS):
        name = chance.choice(sorted(manifest["files"]))
        before = (folder / name).read_bytes()
        # Every second flip hits the front, where headers stand.
        limit = len(before) if number % 2 else min(len(before), 3000)
        data = flip(before, chance.randrange(limit), chance.randrange(8))
        (folder / name).write_bytes(data)
        entry = {name: {"sha256": sha256(data), "bytes": len(data)}}
        spelled = canonical_json(manifest | {"files": manifest["files"] | entry})
        (folder / "manifest.json").write_bytes(spelled)
        try:
            bundle.load(folder, digest=sha256(spelled)).batch(table)
            endings["loaded"] += 1
        except BundleRefused:
            endings["refused"] += 1
        (folder / name).write_bytes(before)

    assert sum(endings.values()) == FLIPS
    assert min(endings.values()) > 0
