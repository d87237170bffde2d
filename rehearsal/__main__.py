"""Rehearse a problem: `python -m rehearsal REQUEST.json`, as `perennial rehearse` starts it.

Writes `days.jsonl`, `result.json` and `page.html` beside the request, and one JSON object a day on
standard output. Run again it goes on where it was ended. Exit codes are those of the stages.
"""

import sys
from pathlib import Path

from contract.errors import PerennialError
from contract.log import configure, log
from contract.rehearsal import RehearsalRequest
from contract.runtime.exit import FastExit
from contract.runtime.process import write_result


def main(arguments: list[str]) -> int:
    """Rehearse, and return the exit code."""
    configure(sys.stderr)
    file = Path(arguments[0])
    try:
        request = RehearsalRequest.model_validate_json(file.read_text("utf-8"))
        from rehearsal.rehearse import rehearse  # noqa: PLC0415 - imports every numeric library

        for line in rehearse(request, file.parent):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    except PerennialError as error:
        write_result({"why": str(error)})
        log("rehearsal").error("rehearsal ended", exit=error.exit_code, why=str(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(FastExit().run(lambda: main(sys.argv[1:])))
