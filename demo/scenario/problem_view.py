"""The problem `flights` for a platform whose weather lands in a database.

The platform reads its own folder of problems before the project's. There `flights/` links to every
file of the project's problem but `problem.yaml`: that one is written from the project's, with the
weather's source replaced. The platform runs this module whenever the project's problem changes, so
the project stays the place to edit, and whoever edits the weather's source gets their own.
"""

import contextlib
import dataclasses
import shutil
import sys
import uuid
from pathlib import Path

from demo.scenario.postgres import VARIABLE
from perennial.local.extra_components import ExtraComponent, remove_component, write_component
from perennial.local.home import Home, find_home
from perennial.problems.find import FILE

PROBLEM = "flights"
COMPONENT = "flights-problem"
AS_FILES = b"    kind: files\n    path: ${LANDING}/flights/weather/*.csv.gz\n"
AS_TABLE = (
    b"    kind: postgres\n    query: select * from weather\n"
    b"    connection: " + VARIABLE.encode() + b"\n"
)
HEADER = "# Written by the demo; the one to edit is {file}. Only the weather's source differs.\n"


def make(home: Home) -> Home:
    """Write the problem, have the platform keep it current, and return the home that reads it."""
    home.own_problems.mkdir(exist_ok=True)
    for entry in home.own_problems.iterdir():
        if entry.is_symlink():  # an earlier version linked the other problems as well
            entry.unlink()
    view = home.with_own_problems()
    refresh(view)
    write_component(home, _component(view))
    return view


def remove(home: Home) -> Home:
    """Remove the problem, if it was written, and return the home that reads the project's alone."""
    remove_component(home, COMPONENT)
    shutil.rmtree(home.own_problems, ignore_errors=True)
    return dataclasses.replace(home, added_problems=())


def refresh(home: Home) -> None:
    """Bring the problem up to date; write nothing where it is."""
    original, folder = home.problems / PROBLEM, home.own_problems / PROBLEM
    if not (original / FILE).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        return
    folder.mkdir(exist_ok=True)
    _link_files(original, folder)
    _write_problem(original / FILE, folder / FILE)


def _component(home: Home) -> ExtraComponent:
    original = home.problems / PROBLEM
    return ExtraComponent(
        name=COMPONENT,
        command=(str(home.python), "-m", "demo.scenario.problem_view"),
        environment={
            "PERENNIAL_HOME": str(home.folder),
            "PERENNIAL_PATH": str(home.project),
            "PERENNIAL_PROBLEMS": home.problem_path,
            "PYTHONPATH": str(home.project),
        },
        folder=home.project,
        # A folder has a new time when an entry comes, goes or is replaced.
        run_when_changed=(original, original / FILE),
    )


def _link_files(original: Path, folder: Path) -> None:
    """Link every file but the problem's and hidden ones; drop the links to what is gone."""
    wanted = {
        path.name: path
        for path in original.iterdir()
        if path.name != FILE and not path.name.startswith(".")
    }
    for entry in folder.iterdir():
        if entry.is_symlink() and entry.name not in wanted:
            entry.unlink()
    for name, path in wanted.items():
        link = folder / name
        if link.is_symlink() and link.readlink() == path:
            continue
        partial = folder / f".{name}.{uuid.uuid4().hex}"
        partial.symlink_to(path)
        partial.replace(link)


def _write_problem(original: Path, file: Path) -> None:
    text = original.read_bytes()
    if text.count(AS_FILES) == 1:
        text = HEADER.format(file=original).encode() + text.replace(AS_FILES, AS_TABLE)
    if not file.is_file() or file.read_bytes() != text:
        partial = file.with_name(f".{FILE}.{uuid.uuid4().hex}")
        partial.write_bytes(text)
        partial.replace(file)


def main() -> int:
    """Bring the problem of the home that the environment names up to date."""
    # A file that an editor is about to replace changes once more, and this runs again.
    with contextlib.suppress(FileNotFoundError):
        refresh(find_home())
    return 0


if __name__ == "__main__":
    sys.exit(main())
