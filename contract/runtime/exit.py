"""The end of a stage's process, once everything is written.

An interpreter that has imported LightGBM, pandas and scikit-learn takes 0.5 s to tear down, and a
fork has more to tear down than it made.
"""

import atexit
import contextlib
import logging
import os
import sys
from collections.abc import Callable


class FastExit:
    """Ends the process without tearing the interpreter down.

    The first that is registered is the last that is called, after every thread and exit function.
    """

    def __init__(self) -> None:
        self.code = 1  # of a bug, whose traceback is written before
        atexit.register(self)

    def __call__(self) -> None:
        """Flush what was written and end."""
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(self.code)

    def run(self, stage: Callable[[], int]) -> int:
        """Run what gives the exit code, and return it."""
        try:
            self.code = stage()
        except SystemExit as end:
            self.code = end.code if isinstance(end.code, int) else 1
            raise
        return self.code
