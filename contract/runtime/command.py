"""The command line of every task.

    python -m tasks STAGE --take NAME=URI#OUTPUT@sha256:HEX … --params FILE|JSON --out URI

Exit codes are the whole language between a task and its caller: 0 made everything, 2 invalid
request, 3 refused, 75 try again; anything else is a bug with its traceback.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

from contract.errors import InvalidRequest
from contract.log import configure, log
from contract.runtime.process import now, write_result
from contract.runtime.task import Task


def run_task(arguments: Sequence[str], find: Callable[[str], Task[Any, Any, Any]]) -> int:
    """Run `STAGE …` of the command line and return its exit code; `find` imports a stage by name."""
    configure()
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write((__doc__ or "") + "\n")
        return 0
    # The stage's libraries take seconds to import: whoever looks now should see that it has begun.
    log("tasks").info("task begins", task=arguments[0], at=now())
    try:
        task = find(arguments[0])
    except InvalidRequest as error:
        write_result({"why": str(error)})
        log("tasks").error("task ended", exit=error.exit_code, why=str(error))
        return error.exit_code
    return task.main(arguments[1:])
