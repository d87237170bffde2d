"""`python -m perennial.local.prefork PLAN`: programs as forks of one interpreter that has imported what they share.

Airflow's three processes import the same 120 MB before they differ. Forked from one interpreter
they hold it once, and it is imported once. It runs in Airflow's environment: PLAN is a `ForkPlan`
as JSON, and on its standard output it writes the pids by name. Then it ends, and who started it
becomes the parent of the forks where it is a subreaper (prctl(2)).
"""

import gc
import json
import os
import runpy
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import TypedDict

from contract.runtime.prefork.child import detach


class Program(TypedDict):
    """One of the forks."""

    arguments: list[str]
    """A module and its arguments, as behind `python -m`."""
    log: str
    """The file that both of its streams are appended to."""


class ForkPlan(TypedDict):
    """What to import, and what to fork then."""

    imports: list[str]
    programs: dict[str, Program]


def main(plan: ForkPlan) -> None:
    """Import, fork, write the pids; in a fork run its program."""
    output = os.dup(1)
    os.dup2(2, 1)  # what is imported may print
    try:
        for name in plan["imports"]:
            import_module(name)
    except Exception:
        for program in plan["programs"].values():
            with Path(program["log"]).open("a", encoding="utf-8") as log:
                traceback.print_exc(file=log)
        raise
    sys.stdout.flush()  # or every fork would write it again
    gc.collect()
    gc.freeze()  # a full collection in a fork would copy every page
    pids: dict[str, int] = {}
    for name, program in plan["programs"].items():
        pid = os.fork()
        if pid == 0:
            os.close(output)
            _adopt(program)
            runpy.run_module(program["arguments"][0], run_name="__main__", alter_sys=True)
            return
        pids[name] = pid
    os.write(output, json.dumps(pids).encode())


def _adopt(program: Program) -> None:
    log = os.open(program["log"], os.O_WRONLY | os.O_APPEND)
    detach(log)
    os.close(log)
    arguments = program["arguments"]
    sys.argv[1:] = arguments[1:]
    # What looks for a process by its command line finds that of its own.
    import_module("setproctitle").setproctitle(" ".join([sys.executable, "-m", *arguments]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
