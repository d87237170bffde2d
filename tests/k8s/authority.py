"""An authority of the tests' own, and what it signs."""

import subprocess
from pathlib import Path


def sign(subject: str, folder: Path) -> None:
    """Write ca.crt, and server.crt and server.key for `IP:ADDRESS` or `DNS:NAME`."""
    new = "-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    name = subject.partition(":")[2]
    _openssl(folder, f"req -x509 {new} -subj /CN=tests -days 2 -keyout ca.key -out ca.crt")
    _openssl(folder, f"req {new} -subj /CN={name} -keyout server.key -out server.csr")
    (folder / "names").write_text(f"subjectAltName={subject}\n")
    signed = "-CA ca.crt -CAkey ca.key -days 2 -extfile names -out server.crt"
    _openssl(folder, f"x509 -req -in server.csr {signed}")


def _openssl(folder: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=folder, check=True, capture_output=True)
