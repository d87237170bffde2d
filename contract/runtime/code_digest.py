"""The digest of the code of a task: its own package, the rooms below it, and its lock.

The same on a laptop and in a pod, since it reads the files and not the installation.
"""

import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("contract", "bundle", "methods", "pages")
SUFFIXES = {".py", ".c", ".html", ".css", ".jinja"}
LOCK = "locks/tasks.txt"


@cache
def code_digest(task: str, root: Path = ROOT) -> str:
    """Return the sha256 over names and bytes of the sources that `task` runs on."""
    digest = hashlib.sha256()
    for folder in (*ROOMS, f"tasks/{task}"):
        for path in _sources(root / folder):
            _add(digest, path.relative_to(root).as_posix(), path.read_bytes())
    lock = root / LOCK
    _add(digest, LOCK, lock.read_bytes() if lock.exists() else b"")
    return digest.hexdigest()


def code_stamps(root: Path = ROOT) -> dict[str, tuple[int, int]]:
    """Return when each source of any task, and the lock, was written (ns), and its bytes.

    A change of a digest without a change here needs two edits of equal length within a clock tick.
    """
    paths = [path for folder in (*ROOMS, "tasks") for path in _sources(root / folder)]
    stats = {path: path.stat() for path in (*paths, root / LOCK) if path.exists()}
    return {
        str(path.relative_to(root)): (stat.st_mtime_ns, stat.st_size)
        for path, stat in stats.items()
    }


def _sources(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.suffix in SUFFIXES]


def _add(digest: "hashlib._Hash", name: str, body: bytes) -> None:
    digest.update(f"{name}\0{len(body)}\0".encode())
    digest.update(body)
