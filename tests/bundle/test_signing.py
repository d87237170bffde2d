"""Keys and signatures."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bundle import BundleRefused, signing
from contract.errors import InvalidRequest


def test_a_signature_is_for_these_bytes_only() -> None:
    key = signing.new_key()
    keys = [signing.public_pem(key)]
    signature = signing.sign(key, b"manifest")

    signing.verify(keys, signature, b"manifest")
    with pytest.raises(BundleRefused):
        signing.verify(keys, signature, b"manifesu")
    with pytest.raises(BundleRefused):
        signing.verify(keys, signature[:-1], b"manifest")


def test_every_pem_of_a_folder_is_a_key(tmp_path: Path) -> None:
    pems = [signing.public_pem(signing.new_key()) for _ in range(2)]
    for name, pem in zip(("b.pem", "a.pem"), pems, strict=True):
        (tmp_path / name).write_bytes(pem)
    (tmp_path / "notes.txt").write_text("no key")

    assert signing.public_keys(tmp_path) == (pems[1], pems[0])


def test_a_folder_without_keys_is_an_invalid_request(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"no \*\.pem"):
        signing.public_keys(tmp_path)


def other_kind() -> tuple[bytes, bytes]:
    """Return a private and a public key of another algorithm."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public


def test_what_is_no_ed25519_key_is_an_invalid_request() -> None:
    private, public = other_kind()

    with pytest.raises(InvalidRequest, match="not a plain PEM private key"):
        signing.sign(b"nonsense", b"")
    with pytest.raises(InvalidRequest, match="expected ed25519"):
        signing.sign(private, b"")
    with pytest.raises(InvalidRequest, match="not a PEM public key"):
        signing.verify([b"nonsense"], bytes(64), b"")
    with pytest.raises(InvalidRequest, match="expected ed25519"):
        signing.verify([public], bytes(64), b"")
