"""A stage's process ends at once, and with everything said."""

import subprocess
import sys

import pytest
from waiting import LIMIT_SECONDS

PROGRAM = """
import atexit, sys
from contract.runtime.exit import FastExit
leave = FastExit()
atexit.register(lambda: print("an exit function"))
class Held:
    def __del__(self):
        print("torn down")
held = Held()
print("said")
def stage():
    {body}
sys.exit(leave.run(stage))
"""


@pytest.mark.parametrize(
    ("body", "code", "complaint"),
    [
        ("return 0", 0, ""),
        ("return 75", 75, ""),
        ("sys.exit(2)", 2, ""),
        ("raise KeyError('x')", 1, "KeyError: 'x'"),
    ],
)
def test_the_exit_code_is_the_stages_and_nothing_is_torn_down(
    body: str, code: int, complaint: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body=body)],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )

    assert done.returncode == code
    assert done.stdout.splitlines() == ["said", "an exit function"]
    assert complaint in done.stderr
