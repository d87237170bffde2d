"""Whether a deployment may begin: the verdict, the keys that it needs, and the model's own bundle."""

import os
from collections.abc import Sequence
from pathlib import Path

import bundle
from bundle import signing
from contract.errors import InvalidRequest, Refused
from contract.formatting import format_digest
from contract.rollout.target import RolloutFailed
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_document
from contract.verdict import Verdict


def read_verdict(body: bytes) -> Verdict:
    """Return the verdict.

    Raises:
        Refused: it cannot be read, which is no acceptance.
    """
    try:
        return parse_document(body, Verdict, "The verdict")
    except DamagedDocument as error:
        sentence = "The verdict cannot be read, so nothing is deployed; run the evaluation again."
        raise Refused(sentence) from error


def check_verdict(verdict: Verdict, digest: str, champion: str | None) -> None:
    """Go on only if the verdict lets this model replace this champion.

    Raises:
        Refused: it does not.
    """
    if verdict.verdict != "accepted":
        first = verdict.reasons[0] if verdict.reasons else "no reason was given"
        raise Refused(f"The verdict is {verdict.verdict!r} ({first}), 'accepted' is expected.")
    if verdict.judged != digest:
        sentence = (
            f"The verdict judged the model {format_digest(verdict.judged)} and {format_digest(digest)} is to be "
            "deployed; have this one judged."
        )
        raise Refused(sentence)
    if verdict.baseline != champion:
        sentence = (
            f"The verdict compared with {format_digest(verdict.baseline, 'no champion')} and {format_digest(champion, 'no champion')} is the "
            "champion now; have the model judged against it."
        )
        raise Refused(sentence)


def read_api_key() -> str:
    """Return the key that opens the service, from the file that PERENNIAL_API_KEY names.

    Raises:
        InvalidRequest: it is not set, or cannot be read.
    """
    name = os.environ.get("PERENNIAL_API_KEY")
    if not name:
        sentence = "PERENNIAL_API_KEY is not set; it names the file of the service's API key."
        raise InvalidRequest(sentence)
    try:
        return Path(name).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        sentence = f"PERENNIAL_API_KEY names {name!r}, which cannot be read; check the file."
        raise InvalidRequest(sentence) from error


def read_verify_keys() -> tuple[bytes, ...]:
    """Return the public keys in the folder that PERENNIAL_VERIFY_KEYS names.

    Raises:
        InvalidRequest: it is not set, or holds none.
    """
    name = os.environ.get("PERENNIAL_VERIFY_KEYS")
    if not name:
        sentence = "PERENNIAL_VERIFY_KEYS is not set; it names the folder of the public keys."
        raise InvalidRequest(sentence)
    return signing.public_keys(Path(name))


def load_model(
    store: Store, problem: str, digest: str, keys: Sequence[bytes], folder: Path
) -> bundle.Model:
    """Return the model as its own reader sees it; nothing is rolled out before.

    Raises:
        RolloutFailed: the bundle in the store is not whole, or not signed by one of the keys.
    """
    try:
        return bundle.read_model(store, problem, digest, folder, keys)
    except bundle.BundleRefused as error:
        raise RolloutFailed(f"The bundle is refused by its own reader: {error}") from error
