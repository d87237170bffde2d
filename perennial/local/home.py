"""Where the platform of one machine keeps its state: `.perennial/` of the project.

`$PERENNIAL_HOME` names another folder, `$PERENNIAL_PATH` another project and `$PERENNIAL_PROBLEMS`
the folders of problems, separated as in `$PATH`: where two have the same problem, the earlier one
counts. Without it these are `problems/` of the platform's folder, where add-ons write, and
`problems/` of the project. Only `prepare` makes folders.
"""

import contextlib
import dataclasses
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.errors import InvalidRequest
from contract.problem import problem_folders

FOLDER_MODE = 0o700
TRAVERSABLE_MODE = 0o710
"""Where a component runs as another user: its group may pass through, and list nothing."""
FILE_MODE = 0o600


@dataclass(frozen=True)
class Home:
    """The folders and files of one platform."""

    folder: Path
    project: Path
    problems: Path
    """Where a person writes problems."""
    added_problems: tuple[Path, ...] = ()
    """Folders of problems that go before `problems`."""

    @property
    def credentials(self) -> Path:
        """Everything secret."""
        return self.folder / "credentials"

    @property
    def data(self) -> Path:
        """What the store holds."""
        return self.folder / "data"

    @property
    def components(self) -> Path:
        """Documents of components that add-ons have the platform run: `NAME.json`."""
        return self.folder / "components"

    @property
    def own_problems(self) -> Path:
        """The platform's own folder of problems, where an add-on made one."""
        return self.folder / "problems"

    @property
    def problem_folders(self) -> tuple[Path, ...]:
        """All folders of problems; the first that has a problem counts."""
        return (*self.added_problems, self.problems)

    @property
    def problem_path(self) -> str:
        """The folders of problems as `$PERENNIAL_PROBLEMS` names them."""
        return os.pathsep.join(map(str, self.problem_folders))

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
        """The socket at which a stage's process is requested."""
        return self.folder / "warm.sock"

    @property
    def python(self) -> Path:
        """The interpreter of tasks, services and this command."""
        return self.project / ".venv" / "bin" / "python"

    @property
    def airflow_python(self) -> Path:
        """The interpreter of Airflow."""
        return self.project / ".venv-airflow" / "bin" / "python"

    def with_own_problems(self) -> "Home":
        """Return the home that reads its own folder of problems before those of a person."""
        return dataclasses.replace(self, added_problems=(self.own_problems,))

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
                raise InvalidRequest(sentence) from error

    def _mode(self, folder: Path) -> int:
        # Only root can run a component as another user, who must get to files below the folder.
        is_passed = folder == self.folder and os.geteuid() == 0 and self.components.exists()
        return TRAVERSABLE_MODE if is_passed else FOLDER_MODE


def find_home(environment: Mapping[str, str] | None = None) -> Home:
    """Return the platform's folders as the environment names them."""
    variables = os.environ if environment is None else environment
    project = Path(variables.get("PERENNIAL_PATH") or Path(__file__).parents[2]).resolve()
    folder = Path(variables.get("PERENNIAL_HOME") or project / ".perennial").absolute()
    named = [path.absolute() for path in problem_folders(variables.get("PERENNIAL_PROBLEMS", ""))]
    if named:
        return Home(folder, project, problems=named[-1], added_problems=tuple(named[:-1]))
    home = Home(folder, project, problems=project / "problems")
    return home.with_own_problems() if home.own_problems.is_dir() else home


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
