"""Secrets of the platform: made once, by the operating system's random source, files 0600.

The store's keys, Airflow's password and secrets, the API key of the services, and the ed25519 key
that signs model bundles. Nothing of it is printed or logged but the path of a file.
"""

import base64
import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from contract.errors import InvalidRequest
from perennial.local.home import FOLDER_MODE, Home, write_private

ADMIN = "admin"
BUCKET = "perennial"
REGION = "us-east-1"  # what every S3 client assumes; the store does not care


@dataclass(frozen=True)
class Credentials:
    """All that is secret, but the signing key, which stays in its own file."""

    store_access_key: str
    store_secret_key: str
    store_admin_password: str
    airflow_password: str
    airflow_fernet_key: str
    airflow_jwt_secret: str
    airflow_api_secret: str
    api_key: str

    @property
    def api_key_sha256(self) -> str:
        """The only form of the API key that a service gets."""
        return hashlib.sha256(self.api_key.encode()).hexdigest()


def credentials_file(home: Home) -> Path:
    """Return the file that holds them all."""
    return home.credentials / "credentials.json"


def password_file(home: Home) -> Path:
    """Return the file of Airflow's password, as its simple auth manager reads it."""
    return home.credentials / "airflow-passwords.json"


def store_identities(home: Home) -> Path:
    """Return the file of the store's identities, as SeaweedFS reads it."""
    return home.credentials / "s3.json"


def api_key_file(home: Home) -> Path:
    """Return the file that holds the API key and nothing else."""
    return home.credentials / "api.key"


def signing_key_file(home: Home) -> Path:
    """Return the file of the private key that signs bundles (PEM, PKCS 8)."""
    return home.credentials / "signing.pem"


def verify_keys_folder(home: Home) -> Path:
    """Return the folder of the public keys that bundles are checked with."""
    return home.credentials / "verify"


def make_credentials(home: Home) -> Credentials:
    """Return the platform's credentials; make those files that are not there yet.

    The files that programs read are written again each time: they follow `credentials.json`.
    """
    file = credentials_file(home)
    if not file.exists():
        write_private(file, json.dumps(asdict(_fresh()), indent=1) + "\n")
    credentials = read_credentials(home)
    write_private(password_file(home), json.dumps({ADMIN: credentials.airflow_password}) + "\n")
    write_private(api_key_file(home), credentials.api_key + "\n")
    store_keys = identities(credentials.store_access_key, credentials.store_secret_key)
    write_private(store_identities(home), store_keys)
    if not signing_key_file(home).exists():
        _make_signing_key(home)
    return credentials


def read_credentials(home: Home) -> Credentials:
    """Return the credentials that `perennial up` made.

    Raises:
        InvalidRequest: there are none, or the file is damaged.
    """
    file = credentials_file(home)
    try:
        return Credentials(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        sentence = f"The platform has no credentials in {str(home.folder)!r}; run `perennial up`."
        raise InvalidRequest(sentence) from error
    except (ValueError, TypeError) as error:
        sentence = (
            f"{str(file)!r} does not hold the platform's credentials; restore it, or delete "
            f"{str(home.folder)!r} to begin anew (its data are lost then)."
        )
        raise InvalidRequest(sentence) from error


def identities(access_key: str, secret_key: str) -> str:
    """Return SeaweedFS's identities: one, who may do everything."""
    keys = [{"accessKey": access_key, "secretKey": secret_key}]
    actions = ["Admin", "Read", "List", "Tagging", "Write"]
    identity = {"name": BUCKET, "credentials": keys, "actions": actions}
    return json.dumps({"identities": [identity]}) + "\n"


def _fresh() -> Credentials:
    return Credentials(
        store_access_key=secrets.token_hex(10).upper(),
        store_secret_key=secrets.token_urlsafe(30),
        store_admin_password=secrets.token_urlsafe(24),
        airflow_password=secrets.token_urlsafe(12),
        # Fernet: 32 bytes, URL-safe base64 with padding (cryptography's specification of it).
        airflow_fernet_key=base64.urlsafe_b64encode(os.urandom(32)).decode(),
        airflow_jwt_secret=secrets.token_urlsafe(64),
        airflow_api_secret=secrets.token_urlsafe(32),
        api_key=secrets.token_urlsafe(32),
    )


def _make_signing_key(home: Home) -> None:
    """Make the key pair: the public half first, so that a private key never lacks it."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415 - once only
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - once only

    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    ).decode()
    public = key.public_key()
    raw = public.public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
    pem = public.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo).decode()
    folder = verify_keys_folder(home)
    folder.mkdir(exist_ok=True)
    folder.chmod(FOLDER_MODE)
    write_private(folder / f"{hashlib.sha256(raw).hexdigest()[:16]}.pem", pem)
    write_private(signing_key_file(home), private)
