"""Write a bundle: the training side of `bundle.reader`. Equal content gives an equal digest."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import JsonValue

from bundle import golden, limits, signing, tensors
from bundle.documents import BundleManifest, Card, Contract, FileEntry, ModelDocument
from bundle.encoder import Row
from bundle.plans import EncoderDocument
from bundle.reader import MANIFEST, SIGNATURE, read_manifest
from bundle.refusal import require
from bundle.scorer import Scorer
from bundle.tensors import Tensors
from contract.canonical_json import canonical_json, sha256


def write(
    folder: Path,
    *,
    model: ModelDocument,
    encoder: EncoderDocument,
    members: Mapping[str, Tensors],
    contract: Contract,
    golden_rows: Iterable[Row],
    profile: JsonValue,
    card: Card,
    signing_key: bytes | None = None,
) -> str:
    """Write all files into `folder`, an empty or absent one, and return the bundle's digest.

    `members` are keyed by their file, `members/NAME.tree` or `members/NAME.dense`, as
    `model.members` names them. Golden answers come from this reader; whoever converts a member
    has compared it with the library that trained it (`methods.models.converters.agreement`). 1 to 200
    golden rows; they are readable, so strip personal data. `signing_key` is a private PEM.

    Raises:
        Refused: when the parts do not fit one another or a limit is passed.
        InvalidRequest: when a golden value or the key cannot be used.
    """
    scorer = Scorer(document=model, encoder=encoder, members=members, contract=contract)
    rows = list(golden_rows)
    counted = 1 <= len(rows) <= limits.GOLDEN_ROWS
    require(counted, f"{len(rows)} golden rows, expected 1 to {limits.GOLDEN_ROWS}")
    content = {
        "card.json": card.canonical(),
        "contract.json": contract.canonical(),
        "encoder.json": encoder.canonical(),
        "golden.json": golden.make(scorer, rows).canonical(),
        "model.json": model.canonical(),
        "profile.json": canonical_json(profile),
    }
    for name, member in members.items():
        right = name.endswith(f".{member.kind}")
        require(right, f"{name} holds a {member.kind} member; name it members/NAME.{member.kind}")
        content[name] = tensors.pack(member)
    files = {
        name: FileEntry(sha256=sha256(data), bytes=len(data))
        for name, data in sorted(content.items())
    }
    manifest = BundleManifest(files=files).canonical()
    read_manifest(manifest)  # the reader's own caps and names, before anything is written
    (folder / "members").mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).write_bytes(data)
    if signing_key is not None:
        (folder / SIGNATURE).write_bytes(signing.sign(signing_key, manifest))
    (folder / MANIFEST).write_bytes(manifest)
    return sha256(manifest)
