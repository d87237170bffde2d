"""A platform of a test's own, driven as a person drives it: by the command, in its own folder."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 420


@dataclass(frozen=True)
class Machine:
    """Folders of one platform and the words to it."""

    home: Path
    problems: Path
    landing: Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PERENNIAL_HOME": str(self.home),
            "PERENNIAL_PROBLEMS": str(self.problems),
            "LANDING": str(self.landing),
            "PYTHONPATH": str(ROOT),
        }

    def ask(self, *words: str, exit_code: int = 0) -> Any:
        """Run `perennial WORDS --json` and return its one document."""
        done = subprocess.run(
            [sys.executable, "-m", "perennial", *words, "--json"],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == exit_code, f"{words}:\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)
