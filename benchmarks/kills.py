"""One kill -9 in each stage, in the middle of its work and the moment it has put an object.

Each stage runs undisturbed first; what it wrote is taken away, and it is killed and run again.
"""

import tempfile
from pathlib import Path

from benchmarks.attempts import KILLED, MOMENTS, Death, StageTrial
from benchmarks.chain import Chain
from benchmarks.report import table, write_section
from contract.formatting import format_digest
from contract.store.client import Store
from perennial.local import seaweedfs as seaweed

SHOWN = 3  # names of what was left


def main() -> None:
    """Kill every stage and write the section."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        running = seaweed.start(folder / "store")
        try:
            store = Store.from_environment(running.environment)
            with Chain(store, running.environment, "wine", folder / "chain") as chain:
                trials = chain.try_all(MOMENTS)
        finally:
            running.stop()
    heads = ["stage", "try", "how it ended", "what the tries had put into the store by then"]
    rows = [row for trial in trials for row in _rows(trial)]
    text = (
        "Every stage of the wines as a process group of its own. It is killed with signal 9 and "
        "started again with the same words, killed again at another moment, and so on; its last "
        "try is left alone. *As undisturbed*: the output has the sha256 of a run that nobody "
        "killed, on the same inputs. Where one differs it holds what was measured: seconds of "
        "candidates and trials (selection and tuning have a budget of CPU time), and latencies.\n\n"
        f"{table(heads, rows)}"
    )
    write_section("One kill -9 in each stage", "make bench-kills", text)


def _rows(trial: StageTrial) -> list[list[object]]:
    """Return a line a try: those that were killed, and the last one."""
    killed: list[list[object]] = [
        [trial.stage, number, _end(death), _left(death)]
        for number, death in enumerate(trial.deaths, start=1)
    ]
    return [*killed, [trial.stage, len(killed) + 1, _made(trial), "all of it"]]


def _end(death: Death) -> str:
    if death.attempt.code != KILLED:
        return f"**it was not killed: exit {death.attempt.code}**"
    return f"killed {death.kill}"


def _left(death: Death) -> str:
    names = [key.rsplit("/", 1)[-1] for key in death.left]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(f"`{_name_on_page(name)}`" for name in names[:SHOWN]) + more) or "nothing"


def _made(trial: StageTrial) -> str:
    if trial.again.code != 0:
        return f"**exit {trial.again.code}**"
    count, differing = len(trial.manifest["outputs"]), sorted(trial.differing)
    same = f"exit 0: {count - len(differing)} of {count} outputs as undisturbed"
    return f"{same}, not {' and '.join(differing)}" if differing else same


def _name_on_page(name: str) -> str:
    """Return a name with its digests cut, to be read."""
    stem, dot, suffix = name.partition(".")
    return f"{format_digest(stem)}…{dot}{suffix}" if len(stem) >= 64 else name


if __name__ == "__main__":
    main()
