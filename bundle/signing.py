"""Who made a bundle: an ed25519 signature over its manifest, which holds every file's sha256.

`cryptography` is imported when a signature is made or checked: 12 ms that a load pinned by
digest does not pay. Keys are PEM; several public ones are valid at once, so that keys can change.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bundle.documents import FORMAT
from bundle.refusal import BundleRefused
from contract.errors import InvalidRequest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

_PREFIX = FORMAT.encode() + b"\0"  # a signature for another format or purpose is worth nothing


def new_key() -> bytes:
    """Return a new private key as PEM (PKCS 8, not encrypted)."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see the module
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - as above

    return ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_pem(private_pem: bytes) -> bytes:
    """Return the public half of a private key.

    Raises:
        InvalidRequest: when the PEM holds no ed25519 private key.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see the module

    public = _private(private_pem).public_key()
    return public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def sign(private_pem: bytes, manifest: bytes) -> bytes:
    """Return the signature of a manifest's bytes, 64 bytes.

    Raises:
        InvalidRequest: when the PEM holds no ed25519 private key.
    """
    return _private(private_pem).sign(_PREFIX + manifest)


def verify(public_pems: Iterable[bytes], signature: bytes, manifest: bytes) -> None:
    """Go on only if one of the keys made the signature; no key at all is a refusal.

    Raises:
        BundleRefused: when none did.
        InvalidRequest: when a PEM holds no ed25519 public key.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see the module

    tried = 0
    for pem in public_pems:
        tried += 1
        try:
            _public(pem).verify(signature, _PREFIX + manifest)
        except InvalidSignature:
            continue
        return
    sentence = f"none of {tried} public keys made the signature; train anew or add the key"
    raise BundleRefused(sentence)


def public_keys(folder: Path) -> tuple[bytes, ...]:
    """Return every `*.pem` of a folder, by name.

    Raises:
        InvalidRequest: when there is none.
    """
    keys = tuple(path.read_bytes() for path in sorted(folder.glob("*.pem")))
    if not keys:
        sentence = f"no *.pem in {folder}, expected a public key; copy the signer's one there"
        raise InvalidRequest(sentence)
    return keys


def _private(pem: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - see the module
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as above
        load_pem_private_key,
    )

    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        sentence = "the signing key is not a plain PEM private key; make one anew"
        raise InvalidRequest(sentence) from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        sentence = f"the signing key is a {type(key).__name__}, expected ed25519; make one anew"
        raise InvalidRequest(sentence)
    return key


def _public(pem: bytes) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - see the module
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - as above
        load_pem_public_key,
    )

    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        sentence = "a verifying key is not a PEM public key; copy the signer's one again"
        raise InvalidRequest(sentence) from error
    if not isinstance(key, ed25519.Ed25519PublicKey):
        sentence = f"a verifying key is a {type(key).__name__}, expected ed25519"
        raise InvalidRequest(sentence)
    return key
