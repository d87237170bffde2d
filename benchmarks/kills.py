"""One kill -9 in each stage, in the middle of its work and the moment it has put an object.

Each stage runs undisturbed first; what it wrote is taken away, and it is killed and run again.
"""

import tempfile
from pathlib import Path

from benchmarks.chain import KILLED, MOMENTS, Attempt, Chain, Death, Story
from benchmarks.report import table, write_section
from contract.store import Store
from perennial.platform import seaweed

SHOWN = 3  # names of what was left


def main() -> None:
    """Kill every stage and write the section."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        running = seaweed.start(folder / "store")
        try:
            store = Store.from_environment(running.environment)
            with Chain(store, running.environment, "wine", folder / "chain") as chain:
                stories = chain.tell_all(MOMENTS)
        finally:
            running.stop()
    heads = ["stage", "killed when", "what was left", "the run after it", "its seconds"]
    rows = [row for story in stories for row in _rows(story)]
    text = (
        f"{table(heads, rows)}\n\n"
        "Every stage of the wines as a process group of its own, killed with signal 9 and started "
        "again with the same words. *The same*: the sha256 of the output is that of an undisturbed "
        "run on the same inputs. Others hold what was measured: seconds of candidates and trials "
        "(selection and tuning have a budget of CPU time), and latencies."
    )
    write_section("One kill -9 in each stage", "make bench-kills", text)


def _rows(story: Story) -> list[list[object]]:
    nexts = [*(death.attempt for death in story.deaths[1:]), story.again]
    return [
        [story.stage, str(death.kill), _left(death), _made(story, after), after.seconds]
        for death, after in zip(story.deaths, nexts, strict=True)
    ]


def _left(death: Death) -> str:
    if death.attempt.code != KILLED:
        return f"**it was not killed: exit {death.attempt.code}**"
    names = [key.rsplit("/", 1)[-1] for key in death.left]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(f"`{_short(name)}`" for name in names[:SHOWN]) + more) or "nothing"


def _made(story: Story, attempt: Attempt) -> str:
    if attempt.code == KILLED:
        return "was killed as well"
    if attempt.code != 0:
        return f"**exit {attempt.code}**"
    count, differing = len(story.manifest["outputs"]), sorted(story.differing)
    same = f"exit 0, {count - len(differing)} of {count} outputs the same"
    return f"{same}; others: {', '.join(differing)}" if differing else same


def _short(name: str) -> str:
    """Return a name with its digests cut, to be read."""
    stem, dot, suffix = name.partition(".")
    return f"{stem[:12]}…{dot}{suffix}" if len(stem) >= 64 else name


if __name__ == "__main__":
    main()
