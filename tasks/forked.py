"""What a process does that was forked from the warm interpreter, to be what a started one is."""

import ctypes
import os
import signal
import sys
import tempfile
import time
from collections.abc import Set as AbstractSet
from pathlib import Path

from contract.runtime.prefork.protocol import ForkRequest
from tasks import __main__ as command

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def become(asked: ForkRequest, stream: int, imported: AbstractSet[str]) -> None:
    """Make the forked process what a started one would be; `imported` are names that imports set."""
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    os.chdir(asked.folder)
    # The first is set by Python itself where there is no locale.
    kept = {name: os.environ[name] for name in ("LC_CTYPE", *imported) if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | asked.environment)
    time.tzset()
    tempfile.tempdir = None
    sys.argv[:] = [str(command.__file__), *asked.words]


def tie_to(parent: int) -> None:
    """Have the kernel send SIGTERM to this process when `parent` ends, even by kill -9."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
