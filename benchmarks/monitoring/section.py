"""The section of `docs/measurements.md`, written from the cells that are there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.monitoring import broken_cells as broken
from benchmarks.monitoring import public, sabotage, simulated
from benchmarks.monitoring.cells import Cell, results
from benchmarks.report import table, write_section

Found = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Part:
    """A part of the benchmark: its cells, and its text once some are measured."""

    cells: Callable[[], list[Cell]]
    text: Callable[[Found], str] | None
    """None: the part's rows stand in the table of the simulated worlds."""


def _stretches(part: str) -> Part:
    def cells() -> list[Cell]:
        return [cell for stretch in simulated.STRETCHES[part] for cell in stretch.cells()]

    return Part(cells, None)


def _broken(found: Found) -> str:
    rows = [broken.table_row(one) for each in found.values() for one in each]
    return f"{broken.text(rows)}\n\n{table(broken.HEADS, rows)}"


def _sabotage(found: Found) -> str:
    rows = [sabotage.table_row(one) for each in found.values() for one in each]
    refused = sum(row[2] == "refused" for row in rows)
    return (
        f"{len(rows)} runs with a sabotaged challenger (of {len(sabotage.SABOTAGES)} kinds, each "
        f"asked for as {' and as '.join(sabotage.REASONS)}): {refused} were refused.\n\n"
        f"{table(sabotage.HEADS, rows)}"
    )


PARTS: Mapping[str, Part] = {
    **{part: _stretches(part) for part in simulated.STRETCHES},
    "broken": Part(broken.cells, _broken),
    "sabotage": Part(sabotage.cells, _sabotage),
    "public": Part(public.cells, public.text),
}


def write(folder: Path) -> None:
    """Write the section from the results below `folder`."""
    worlds: list[list[object]] = []
    texts: list[str] = []
    commits: set[str] = set()
    seconds = 0.0
    for name, part in PARTS.items():
        found = results(part.cells(), folder)
        for each in (one for several in found.values() for one in several):
            commits.add(str(each["commit"]))
            seconds += float(each["cpu_seconds"])
        if part.text is None:
            worlds += [
                simulated.table_row(stretch, found[stretch.name])
                for stretch in simulated.STRETCHES[name]
            ]
        elif any(found.values()):
            texts.append(part.text(found))
        else:
            texts.append(f"The part `{name}` is not measured yet.")
    head = (
        f"Measured at {', '.join(sorted(commits)) or 'no commit yet'}, {seconds:,.0f} CPU-s in all. "
        "Every day goes through the real stages: rows are answered and logged by the service's code, "
        "labels land late, monitoring decides on the next morning, and a `retrain` verdict runs the "
        "lifecycle at once. Mean and 95 % interval over seeds. *Half recovered*: from the change to "
        "the first of three days on which the served model has made up half of the loss that the "
        "change added, counted from the first label of the changed world where labels are a week "
        "late and more."
    )
    write_section(
        "How monitoring and retraining decide",
        "make bench-monitoring",
        "\n\n".join([head, table(simulated.HEADS, worlds), *texts]),
    )
