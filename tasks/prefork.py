"""`python -m tasks.prefork`: every stage is a fork of one interpreter that has imported what they import."""

import contextlib
import sys
from collections.abc import Iterator
from importlib import import_module

from contract.runtime.command import run_task
from contract.runtime.prefork.server import IDLE_SECONDS, ForkedCommand, serve
from contract.stages import STAGES
from contract.store.client import Store
from tasks import __main__ as command

# What more than one stage imports, but only where it is used.
LATER = (
    *("boto3", "boto3.exceptions", "botocore.config", "botocore.exceptions"),
    *("cryptography.exceptions", "cryptography.hazmat.primitives.asymmetric.ed25519"),
    "cryptography.hazmat.primitives.serialization",
)


def main(idle_seconds: float = IDLE_SECONDS) -> int:
    """Serve until no stage was requested for `idle_seconds`."""
    forked = ForkedCommand(
        path=str(command.__file__),
        imports=_imports(),
        prepare=lambda arguments: command.find(arguments[0]),
        run=lambda arguments: run_task(arguments, command.find),
    )
    return serve(forked, idle_seconds)


def _imports() -> Iterator[str]:
    """Import what the stages import, in the order of the cycle; yield each name."""
    for name in LATER:
        import_module(name)
        yield name
    Store.preload_botocore()
    yield "store"
    for stage in STAGES:
        with contextlib.suppress(Exception):  # the stage itself reports it, with its traceback
            command.find(stage)
        yield stage


if __name__ == "__main__":
    sys.exit(main())
