"""The salt of a problem's hashes: the same in every run, so that a row keeps its part for ever."""

from contract.canonical_json import sha256


def salt_of(problem: str) -> str:
    """Return the salt of a problem by its name, 16 hexadecimal digits."""
    return sha256(f"perennial:{problem}".encode())[:16]
