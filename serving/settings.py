"""All that the service reads from its surroundings, once, when the process begins."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, ValidationError

from contract.artifacts import Sha256
from contract.errors import InvalidRequest
from contract.strict import Strict

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Settings(Strict):
    """The settings of one service process."""

    problem: str
    host: str
    """The address it listens on."""
    port: int = Field(ge=0, le=65_535)
    """0: a free one, which `PROBLEM/service.json` then names."""
    source: Literal["pointer", "pinned"]
    """`pointer` follows `PROBLEM/rollout.json`; `pinned` serves `digest` for ever."""
    digest: Sha256 | None
    key_digests: tuple[str, ...]
    """The sha256 of each accepted API key; empty: none is needed."""
    verify_keys: Path
    """The folder of the public keys, one of which must have signed the bundle."""
    folder: Path
    """The process's own folder: bundles, spool and what BentoML keeps."""
    drain_seconds: NonNegativeFloat
    """How long it still answers after SIGTERM, so that callers see that it is not ready."""
    poll_seconds: PositiveFloat
    """Seconds between two reads of the pointer."""
    connection_requests: PositiveInt
    """A connection's requests, then it closes: 1,000 make a new one's 0.1 ms of CPU invisible."""
    connection_seconds: PositiveFloat
    """A connection's age at which its next answer closes it: so soon clients meet new pods."""

    @property
    def cache(self) -> Path:
        """The folder of the bundles, one folder each."""
        return self.folder / "bundles"

    @property
    def predictions(self) -> Path:
        """Where the prediction log waits to be shipped."""
        return self.folder / "spool" / "predictions"

    @property
    def feedback(self) -> Path:
        """Where labels wait to be shipped."""
        return self.folder / "spool" / "feedback"


def read_settings(problem: str, host: str, port: int, environment: Mapping[str, str]) -> Settings:
    """Return the settings of the process.

    Raises:
        InvalidRequest: a variable is missing or invalid.
    """
    source = environment.get("MODEL_SOURCE", "pointer")
    digest = environment.get("MODEL_DIGEST") or None
    if source == "pinned" and digest is None:
        sentence = "MODEL_SOURCE is pinned and MODEL_DIGEST is not set; set the digest to serve."
        raise InvalidRequest(sentence)
    keys = environment.get("PERENNIAL_VERIFY_KEYS")
    if not keys:
        sentence = (
            "PERENNIAL_VERIFY_KEYS is not set; it names the folder of the public keys that "
            "model bundles are checked with: set it, or start the service by `perennial up`."
        )
        raise InvalidRequest(sentence)
    home = Path(environment.get("PERENNIAL_HOME") or ".perennial").absolute()
    try:
        return Settings(
            problem=problem,
            host=host,
            port=port,
            source=source,
            digest=digest,
            key_digests=_key_digests(environment),
            verify_keys=Path(keys),
            folder=home / "services" / problem,
            drain_seconds=environment.get("DRAIN_SECONDS", 1.0),
            poll_seconds=environment.get("POLL_SECONDS", 1.0),
            connection_requests=environment.get("CONNECTION_REQUESTS", 1_000),
            connection_seconds=environment.get("CONNECTION_SECONDS", 30.0),
        )
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        sentence = (
            f"The service's setting {fault['loc'][0]} is {fault['input']!r}: {fault['msg']}; "
            "correct the variable or the argument."
        )
        raise InvalidRequest(sentence) from error


def _key_digests(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the accepted keys' digests; a service without any key must be requested explicitly."""
    text = environment.get("PERENNIAL_API_KEY_SHA256", "")
    digests = tuple(part.strip() for part in text.split(",") if part.strip())
    if not all(_DIGEST.fullmatch(part) for part in digests):
        sentence = (
            "PERENNIAL_API_KEY_SHA256 holds something else than sha256 digests of 64 hexadecimal "
            "digits, separated by commas; correct it."
        )
        raise InvalidRequest(sentence)
    if not digests and environment.get("PERENNIAL_AUTH") != "none":
        sentence = (
            "PERENNIAL_API_KEY_SHA256 is empty, so nobody could call the service; set the sha256 "
            "of an API key, or PERENNIAL_AUTH=none to let everybody in."
        )
        raise InvalidRequest(sentence)
    return digests
