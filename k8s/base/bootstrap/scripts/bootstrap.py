"""Make the Secrets of an installation: what is missing, and nothing that is there already.

The first writer wins, also after a half-done run: what others are derived from is read back. Keys
never leave the cluster. It needs `cryptography`, which is in the stages' image, for one key pair.
"""

import base64
import hashlib
import json
import os
import secrets
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ed25519

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PLATFORM, TASKS, SERVING = "perennial", "perennial-tasks", "perennial-serving"
STORE = "http://seaweedfs.perennial:8333"
REGION = "us-east-1"
# What each may do in the store: stages write, services write their log, Airflow shows pages.
IDENTITIES = {
    "airflow": ["Read", "List", "Write:perennial/airflow-logs/*"],
    "stages": ["Read", "List", "Tagging", "Write"],
    "serving": ["Read", "List", "Write"],
}
ATTEMPTS = 60
CREATED, EXISTS = 201, 409


def main() -> int:
    """Make all of them."""
    make(PLATFORM, "postgres", {"password": secrets.token_urlsafe(24)})
    make(PLATFORM, "s3-identities", {"s3.json": identities()})
    keys = credentials(read(PLATFORM, "s3-identities")["s3.json"])
    make(PLATFORM, "airflow", airflow(read(PLATFORM, "postgres")["password"], keys["airflow"]))
    make(PLATFORM, "airflow-admin", {"username": "admin", "password": secrets.token_urlsafe(12)})
    make(TASKS, "store", keys["stages"])
    make(SERVING, "store", keys["serving"])
    make(TASKS, "signing-key", {"signing.pem": private_key()})
    public = public_keys(read(TASKS, "signing-key")["signing.pem"])
    make(TASKS, "verify-keys", public)
    make(SERVING, "verify-keys", public)
    make(TASKS, "api-key", {"api.key": secrets.token_urlsafe(32)})
    opened = hashlib.sha256(read(TASKS, "api-key")["api.key"].encode()).hexdigest()
    make(SERVING, "api-key", {"sha256": opened})
    return 0


def identities() -> str:
    """Return SeaweedFS' identities, each with a new key."""
    return json.dumps(
        {
            "identities": [
                {
                    "name": name,
                    "credentials": [
                        {
                            "accessKey": secrets.token_hex(10),
                            "secretKey": secrets.token_urlsafe(30),
                        }
                    ],
                    "actions": actions,
                }
                for name, actions in IDENTITIES.items()
            ]
        }
    )


def credentials(document: str) -> dict[str, dict[str, str]]:
    """Return the variables of each identity's key."""
    identities = {}
    for identity in json.loads(document)["identities"]:
        key = identity["credentials"][0]
        identities[identity["name"]] = {
            "AWS_ACCESS_KEY_ID": key["accessKey"],
            "AWS_SECRET_ACCESS_KEY": key["secretKey"],
        }
    return identities


def airflow(password: str, key: Mapping[str, str]) -> dict[str, str]:
    """Return the secret half of Airflow's configuration."""
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": (
            f"postgresql+psycopg2://airflow:{password}@postgres:5432/airflow"
        ),
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
        "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
        **key,
    }


def private_key() -> str:
    """Return a new ed25519 key that signs model bundles, PEM."""
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    ).decode()


def public_keys(private: str) -> dict[str, str]:
    """Return the public half as a file that is named by the key."""
    public = form.load_pem_private_key(private.encode(), None).public_key()
    raw = public.public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
    pem = public.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    return {f"{hashlib.sha256(raw).hexdigest()[:16]}.pem": pem.decode()}


def make(namespace: str, name: str, data: Mapping[str, str]) -> None:
    """Create one Secret, or leave the one that is there; ends the program where it cannot."""
    body = {
        "metadata": {
            "name": name,
            "labels": {
                "app.kubernetes.io/managed-by": "bootstrap",
                "app.kubernetes.io/part-of": "perennial",
            },
        },
        "stringData": dict(data),
    }
    message = ""
    for _ in range(ATTEMPTS):
        status, answer = ask("POST", f"/api/v1/namespaces/{namespace}/secrets", body)
        if status in {CREATED, EXISTS}:
            word = "created" if status == CREATED else "exists"
            sys.stdout.write(f"{namespace}/{name}: {word}\n")
            return
        message = f"{status} {answer.get('message', '')}"
        time.sleep(1)
    sys.exit(f"{namespace}/{name} cannot be made: {message}")


def read(namespace: str, name: str) -> dict[str, str]:
    """Return what a Secret holds."""
    status, answer = ask("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
    data = answer.get("data")
    if not isinstance(data, dict):
        sys.exit(f"{namespace}/{name} cannot be read: {status} {answer.get('message', '')}")
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def ask(method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
    """Ask the Kubernetes API; status 0 where it does not answer."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    token = (ACCOUNT / "token").read_text(encoding="ascii")
    request = urllib.request.Request(
        f"https://{host}:{port}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    trusted = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    try:
        with urllib.request.urlopen(request, context=trusted, timeout=10) as answer:  # noqa: S310 - as above
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")
    except OSError as error:
        return 0, {"message": str(error)}


if __name__ == "__main__":
    sys.exit(main())
