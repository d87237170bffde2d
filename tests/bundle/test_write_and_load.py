"""A bundle that was written is read back, by whom it trusts, within its limits."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundle
from bundle import BundleRefused, limits, signing
from contract.canonical_json import canonical_json, sha256

New = Callable[..., Any]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_what_was_written_scores_as_before(
    kernel: str, tmp_path: Path, new_parts: New, new_table: New, task: str
) -> None:
    parts = new_parts(task)
    table = new_table(parts.golden_rows * 3)

    digest = parts.write(tmp_path / "b")
    model = bundle.load(tmp_path / "b", digest=digest)

    assert model.digest == digest == sha256((tmp_path / "b/manifest.json").read_bytes())
    assert model.batch(table).tobytes() == parts.scorer().batch(table).tobytes()
    assert (model.card, model.contract, model.profile) == (
        parts.card,
        parts.contract,
        parts.profile,
    )
    assert len(model.golden.rows) == 5


def test_the_same_model_has_the_same_digest(tmp_path: Path, parts: Any) -> None:
    assert parts.write(tmp_path / "a") == parts.write(tmp_path / "b")


def test_a_bundle_written_by_one_kernel_is_read_by_the_other(
    tmp_path: Path, new_parts: New, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("bundle._flatforest", reason="the C kernel is not built: no compiler")
    from bundle import kernel

    digests = set()
    for name in ("c", "numpy"):
        monkeypatch.setenv("PERENNIAL_KERNEL", name)
        kernel.pick.cache_clear()
        digests.add(new_parts("multiclass").write(tmp_path / name))
    kernel.pick.cache_clear()

    assert len(digests) == 1


def test_coercion_counts_start_at_zero(tmp_path: Path, parts: Any) -> None:
    """The golden rows are dirty on purpose; they are no request."""
    model = bundle.load(tmp_path / "b", digest=parts.write(tmp_path / "b"))

    assert set(model.encoder.coerced.values()) == {0}


def test_golden_rows_hold_what_json_can(tmp_path: Path, parts: Any) -> None:
    from datetime import date
    from decimal import Decimal

    row = {
        "delay": float("nan"),
        "wind": np.float64(2.5),
        "at": date(2013, 5, 1),
        "carrier": Decimal(7),
        "gate": np.int64(4),
    }
    digest = parts.but(golden_rows=[row, {"delay": float("inf")}]).write(tmp_path / "b")

    found = [dict(one.row) for one in bundle.load(tmp_path / "b", digest=digest).golden.rows]

    assert found == [
        {"delay": None, "wind": 2.5, "at": "2013-05-01", "carrier": "7", "gate": 4},
        {"delay": "inf"},
    ]


@pytest.mark.parametrize("count", [0, 201])
def test_there_are_1_to_200_golden_rows(tmp_path: Path, parts: Any, count: int) -> None:
    with pytest.raises(BundleRefused, match=f"{count} golden rows, expected 1 to 200"):
        parts.but(golden_rows=[{}] * count).write(tmp_path / "b")


def test_trust_is_needed(tmp_path: Path, parts: Any) -> None:
    parts.write(tmp_path / "b")

    with pytest.raises(BundleRefused, match="neither a digest nor a key"):
        bundle.load(tmp_path / "b")


def test_another_digest_is_refused(tmp_path: Path, parts: Any) -> None:
    parts.write(tmp_path / "b")

    with pytest.raises(BundleRefused, match=f"expected {'0' * 64}"):
        bundle.load(tmp_path / "b", digest="0" * 64)


def test_one_of_several_keys_is_enough(tmp_path: Path, parts: Any) -> None:
    key, other = signing.new_key(), signing.new_key()
    digest = parts.write(tmp_path / "b", signing_key=key)
    keys = [signing.public_pem(other), signing.public_pem(key)]

    assert bundle.load(tmp_path / "b", keys=keys).digest == digest


def test_a_foreign_signature_is_refused(tmp_path: Path, parts: Any) -> None:
    parts.write(tmp_path / "b", signing_key=signing.new_key())
    stranger = signing.public_pem(signing.new_key())

    with pytest.raises(BundleRefused, match="none of 1 public keys made the signature"):
        bundle.load(tmp_path / "b", keys=[stranger])


def test_no_key_at_all_is_refused(tmp_path: Path, parts: Any) -> None:
    digest = parts.write(tmp_path / "b", signing_key=signing.new_key())

    with pytest.raises(BundleRefused, match="none of 0 public keys"):
        bundle.load(tmp_path / "b", digest=digest, keys=[])


def test_an_unsigned_bundle_is_refused_where_a_signature_is_asked(
    tmp_path: Path, parts: Any
) -> None:
    digest = parts.write(tmp_path / "b")

    with pytest.raises(BundleRefused, match=r"manifest\.sig cannot be read"):
        bundle.load(tmp_path / "b", digest=digest, keys=[signing.public_pem(signing.new_key())])


def test_a_link_instead_of_a_file_is_refused(tmp_path: Path, parts: Any) -> None:
    digest = parts.write(tmp_path / "b")
    card = tmp_path / "b/card.json"
    card.rename(tmp_path / "card.json")
    card.symlink_to(tmp_path / "card.json")

    with pytest.raises(
        BundleRefused, match=r"card\.json cannot be read \(Too many levels of symbolic links"
    ):
        bundle.load(tmp_path / "b", digest=digest)


def test_a_pipe_instead_of_a_file_is_refused(tmp_path: Path, parts: Any) -> None:
    digest = parts.write(tmp_path / "b")
    (tmp_path / "b/card.json").unlink()
    os.mkfifo(tmp_path / "b/card.json")

    with pytest.raises(BundleRefused, match=r"card\.json is not a plain file"):
        bundle.load(tmp_path / "b", digest=digest)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match=r"manifest\.json cannot be read \(No such file"):
        bundle.load(tmp_path, digest="0" * 64)


def test_a_manifest_beyond_the_cap_is_not_parsed(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b"[" * (limits.MANIFEST_BYTES + 1))

    with pytest.raises(BundleRefused, match=r"manifest\.json is longer than 1048576 bytes"):
        bundle.load(tmp_path, digest="0" * 64)


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> str:
    """Change the manifest as an attacker would, and return its new digest."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    change(manifest)
    data = canonical_json(manifest)
    (folder / "manifest.json").write_bytes(data)
    return sha256(data)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda m: m["files"].update({"../x.json": m["files"]["card.json"]}), "no file"),
        (lambda m: m["files"].update({"members/x.pkl": m["files"]["card.json"]}), "no file"),
        (lambda m: m["files"].update({"members/x.tree\n": m["files"]["card.json"]}), "no file"),
        (lambda m: m["files"].pop("golden.json"), r"has no \['golden.json'\]"),
        (lambda m: m["files"]["card.json"].update(bytes=1 << 30), "is too large"),
        (lambda m: m["files"]["card.json"].update(bytes=3), "longer than 3 bytes"),
        (lambda m: m["files"]["card.json"].update(bytes=9999), "not the file that the manifest"),
        (lambda m: m["files"]["card.json"].update(sha256="0" * 64), "not the file"),
        (lambda m: m["files"]["card.json"].update(sha256="../x"), "sha256"),
        (lambda m: m["files"]["card.json"].update(bytes=-1), "bytes"),
        (lambda m: m.update(format="bundle/2"), "format"),
        (lambda m: m.update(extra=1), "extra"),
    ],
)
def test_a_manifest_that_lies_is_refused(
    tmp_path: Path, parts: Any, change: Callable[[dict[str, Any]], Any], why: str
) -> None:
    parts.write(tmp_path / "b")
    digest = rewrite(tmp_path / "b", change)

    with pytest.raises(BundleRefused, match=why):
        bundle.load(tmp_path / "b", digest=digest)


def test_too_large_in_all_is_refused(tmp_path: Path, parts: Any) -> None:
    parts.write(tmp_path / "b")

    def swell(manifest: dict[str, Any]) -> None:
        large = {"sha256": "0" * 64, "bytes": limits.FILE_BYTES}
        manifest["files"] |= {f"members/x{place}.tree": large for place in range(3)}

    digest = rewrite(tmp_path / "b", swell)

    with pytest.raises(BundleRefused, match="bytes is too large"):
        bundle.load(tmp_path / "b", digest=digest)


@pytest.mark.parametrize(
    "text",
    ['{"a": NaN}', '{"a": 1e999}', '{"a": 1, "a": 2}', "[" * 100_000, "\xff", "", "[]", "{}"],
    ids=range(8),
)
def test_a_document_that_is_not_strict_json_is_refused(
    tmp_path: Path, parts: Any, text: str
) -> None:
    parts.write(tmp_path / "b")
    data = text.encode("latin-1")
    (tmp_path / "b/card.json").write_bytes(data)
    digest = rewrite(
        tmp_path / "b",
        lambda m: m["files"].update({"card.json": {"sha256": sha256(data), "bytes": len(data)}}),
    )

    with pytest.raises(BundleRefused):
        bundle.load(tmp_path / "b", digest=digest)


def test_a_manifest_that_is_no_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(b"[]")

    with pytest.raises(BundleRefused, match=r"manifest\.json holds a list, expected an object"):
        bundle.load(tmp_path, digest=sha256(b"[]"))
