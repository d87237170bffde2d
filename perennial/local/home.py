"""Where the platform of one machine keeps its state: `.perennial/` of the project.

`$PERENNIAL_HOME` names another folder, `$PERENNIAL_PATH` another project and `$PERENNIAL_PROBLEMS`
another folder of problems; without it, a view that the demo made goes before the project's own
problems. Nothing is made here but by `prepare`.
"""

import contextlib
import dataclasses
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.errors import AskedWrongly

FOLDER_MODE = 0o700
PASSED_MODE = 0o710
"""Where a database's server is another user: its group may pass through, and list nothing."""
FILE_MODE = 0o600


@dataclass(frozen=True)
class Home:
    """The places of one platform."""

    folder: Path
    project: Path
    problems: Path

    @property
    def credentials(self) -> Path:
        """Everything secret."""
        return self.folder / "credentials"

    @property
    def data(self) -> Path:
        """What the store holds."""
        return self.folder / "data"

    @property
    def database(self) -> Path:
        """A PostgreSQL of the platform's own, where the demo made one."""
        return self.folder / "database"

    @property
    def view(self) -> Path:
        """The platform's own folder of problems, where the demo made one."""
        return self.folder / "problems"

    @property
    def written_problems(self) -> Path:
        """Where a person writes problems: those that a view shows, else the ones that are read."""
        return self.project / "problems" if self.problems == self.view else self.problems

    @property
    def airflow(self) -> Path:
        """Airflow's own home: its database and its settings."""
        return self.folder / "airflow"

    @property
    def logs(self) -> Path:
        """A file a component."""
        return self.folder / "logs"

    @property
    def ports(self) -> Path:
        """The ports, chosen once."""
        return self.folder / "ports.json"

    @property
    def state(self) -> Path:
        """What runs now: written by the supervisor at every change."""
        return self.folder / "state.json"

    @property
    def lock(self) -> Path:
        """Held by the `up` or `down` that is at work."""
        return self.folder / "lock"

    @property
    def warm(self) -> Path:
        """The socket at which a stage's process is asked for."""
        return self.folder / "warm.sock"

    @property
    def python(self) -> Path:
        """The interpreter of tasks, services and this command."""
        return self.project / ".venv" / "bin" / "python"

    @property
    def airflow_python(self) -> Path:
        """The interpreter of Airflow."""
        return self.project / ".venv-airflow" / "bin" / "python"

    def prepare(self) -> None:
        """Make the folders, readable by their owner alone."""
        for folder in (self.folder, self.credentials, self.data, self.airflow, self.logs):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(self._mode(folder))
            except OSError as error:
                sentence = (
                    f"The folder {str(folder)!r} cannot be made ({error.strerror}); "
                    "set PERENNIAL_HOME to a folder that you own."
                )
                raise AskedWrongly(sentence) from error

    def _mode(self, folder: Path) -> int:
        passed = folder == self.folder and os.geteuid() == 0 and self.database.exists()
        return PASSED_MODE if passed else FOLDER_MODE


def find_home(environment: Mapping[str, str] | None = None) -> Home:
    """Return the platform's places as the environment names them."""
    found = os.environ if environment is None else environment
    project = Path(found.get("PERENNIAL_PATH") or Path(__file__).parents[2]).resolve()
    folder = Path(found.get("PERENNIAL_HOME") or project / ".perennial").absolute()
    home = Home(folder=folder, project=project, problems=project / "problems")
    named = found.get("PERENNIAL_PROBLEMS")
    if named:
        return dataclasses.replace(home, problems=Path(named).absolute())
    return dataclasses.replace(home, problems=home.view) if home.view.is_dir() else home


def write_private(path: Path, text: str) -> None:
    """Write `path` in one step, readable by its owner alone from the first byte on."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        partial.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
