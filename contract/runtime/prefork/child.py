"""What a forked process does to be what a started one would be.

Stages are forked from the tasks' interpreter, Airflow's processes from Airflow's: only the standard
library is imported here.
"""

import ctypes
import os
import signal
import sys
import tempfile
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contract.runtime.prefork.protocol import ForkRequest

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
PR_SET_CHILD_SUBREAPER = 36


def detach(output: int) -> None:
    """Lead a session, with nothing to read, and write both streams to the descriptor `output`."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, stream in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, stream)
    os.close(nothing)


def adopt_request(request: "ForkRequest", program: str, set_by_imports: Collection[str]) -> None:
    """Take the folder, environment and arguments of a request.

    `program` is the file that `python -m` would run; `set_by_imports` are the environment variables
    that imported libraries have set for themselves.
    """
    os.chdir(request.folder)
    # The first is set by Python itself where there is no locale.
    kept = {name: os.environ[name] for name in ("LC_CTYPE", *set_by_imports) if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | request.environment)
    time.tzset()
    tempfile.tempdir = None
    sys.argv[:] = [program, *request.arguments]


def end_with_parent(parent: int) -> None:
    """Have the kernel send SIGTERM to this process when `parent` ends, even by kill -9."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def adopt_orphans(*, adopt: bool) -> None:
    """Become the parent of descendants whose own parent ends, or cease to."""
    _prctl(PR_SET_CHILD_SUBREAPER, int(adopt))


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")
