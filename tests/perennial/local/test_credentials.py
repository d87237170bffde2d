import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from contract.errors import InvalidRequest
from perennial.local import credentials
from perennial.local.home import Home


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_file_is_readable_by_its_owner_alone(home: Home) -> None:
    credentials.make_credentials(home)

    files = [path for path in home.credentials.rglob("*") if path.is_file()]

    assert {_mode(path) for path in files} == {0o600}
    assert len(files) == 6


def test_every_folder_is_closed_to_others(home: Home) -> None:
    credentials.make_credentials(home)

    folders = [home.folder, *(path for path in home.folder.rglob("*") if path.is_dir())]

    assert {_mode(path) for path in folders} == {0o700}


def test_a_second_call_changes_nothing(home: Home) -> None:
    first = credentials.make_credentials(home)
    before = {path: path.read_bytes() for path in home.credentials.rglob("*") if path.is_file()}

    second = credentials.make_credentials(home)

    assert second == first
    after = {path: path.read_bytes() for path in home.credentials.rglob("*") if path.is_file()}
    assert after == before


def test_two_platforms_share_no_secret(home: Home, tmp_path: Path) -> None:
    other = Home(folder=tmp_path / "other", project=home.project, problems=home.problems)
    other.prepare()

    here = vars(credentials.make_credentials(home))
    there = vars(credentials.make_credentials(other))

    assert set(here.values()) & set(there.values()) == set()


def test_the_public_key_checks_what_the_private_key_signs(home: Home) -> None:
    credentials.make_credentials(home)
    private = load_pem_private_key(credentials.signing_key_file(home).read_bytes(), None)
    (public_file,) = credentials.verify_keys_folder(home).glob("*.pem")
    public = load_pem_public_key(public_file.read_bytes())

    signature = private.sign(b"manifest")  # type: ignore[union-attr,call-arg] # ed25519

    public.verify(signature, b"manifest")  # type: ignore[union-attr,call-arg,arg-type] # ed25519


def test_airflow_reads_the_password_of_the_admin(home: Home) -> None:
    made = credentials.make_credentials(home)

    found = json.loads(credentials.password_file(home).read_text())

    assert found == {"admin": made.airflow_password}


def test_no_credentials_is_one_sentence(home: Home) -> None:
    with pytest.raises(InvalidRequest, match=r"has no credentials in .*; run `perennial up`"):
        credentials.read_credentials(home)


def test_damaged_credentials_are_never_replaced_silently(home: Home) -> None:
    credentials.credentials_file(home).write_text('{"store_access_key": "a"}')

    with pytest.raises(InvalidRequest, match="does not hold the platform's credentials"):
        credentials.make_credentials(home)
