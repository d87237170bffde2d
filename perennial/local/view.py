"""The platform's own folder of problems, once the demo keeps its weather in a database.

Everything in it is a link to the project's `problems/`, so that a new problem and an edit are seen
as ever, but `flights/problem.yaml`: that one is written anew from the project's whenever that
changes, with the weather's source alone replaced. Whoever edits that source finds their own word
untouched. `PERENNIAL_PROBLEMS` sets the view aside.
"""

import contextlib
import dataclasses
import shutil
import uuid
from pathlib import Path

from perennial.local.database import VARIABLE
from perennial.local.home import Home
from perennial.problems.find import FILE

PROBLEM = "flights"
AS_FILES = b"    kind: files\n    path: ${LANDING}/flights/weather/*.csv.gz\n"
AS_TABLE = (
    b"    kind: postgres\n    query: select * from weather\n"
    b"    connection: " + VARIABLE.encode() + b"\n"
)
HEADER = (
    "# Written by the platform; the one to edit is {file}. Only the weather's source differs.\n"
)


def make(home: Home) -> Home:
    """Make the view and return the home that reads it."""
    home.view.mkdir(exist_ok=True)
    seen = dataclasses.replace(home, problems=home.view)
    refresh(seen)
    return seen


def remove(home: Home) -> Home:
    """Remove the view, if there is one, and return the home that reads the project's problems."""
    shutil.rmtree(home.view, ignore_errors=True)
    return dataclasses.replace(home, problems=home.written_problems)


def refresh(home: Home) -> None:
    """Bring the view up to date, where it is the folder of problems: 0.1 ms a problem."""
    if home.problems != home.view:
        return
    # A file that an editor is about to replace is found at the next look.
    with contextlib.suppress(OSError):
        _link(home.written_problems, home.view, PROBLEM)
        _write(home.written_problems / PROBLEM, home.view / PROBLEM)


def _link(origin: Path, view: Path, kept: str) -> None:
    """Link what `origin` holds, but `kept` and what is hidden; drop the links to what is gone."""
    wanted = {
        path.name: path
        for path in origin.iterdir()
        if path.name != kept and not path.name.startswith(".")
    }
    for entry in view.iterdir():
        if entry.is_symlink() and entry.name not in wanted:
            entry.unlink()
    for name, path in wanted.items():
        link = view / name
        if link.is_symlink() and link.readlink() == path:
            continue
        partial = view / f".{name}.{uuid.uuid4().hex}"
        partial.symlink_to(path)
        partial.replace(link)


def _write(origin: Path, folder: Path) -> None:
    """Write the problem whose weather stands in the database."""
    if not (origin / FILE).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        return
    folder.mkdir(exist_ok=True)
    _link(origin, folder, FILE)
    text = (origin / FILE).read_bytes()
    if text.count(AS_FILES) == 1:
        text = HEADER.format(file=origin / FILE).encode() + text.replace(AS_FILES, AS_TABLE)
    file = folder / FILE
    if not file.is_file() or file.read_bytes() != text:
        partial = folder / f".{FILE}.{uuid.uuid4().hex}"
        partial.write_bytes(text)
        partial.replace(file)
