"""How well monitoring and retraining decide: `make bench-monitoring [PARTS="concept prior"]`.

    python -m benchmarks.monitoring [PART ...] [--seeds N] [--folder FOLDER] [--write]

Runs the cells that are not measured yet, one after the other, and writes the section of
`docs/measurements.md` from what there is. A scenario with `--days` is run by hand instead:

    python -m benchmarks.monitoring concept --rows 1000 --days 40 --seed 0
"""

import argparse
import logging
from pathlib import Path

from benchmarks.monitoring.by_hand import show_days
from benchmarks.monitoring.cells import Cell, run_cells
from benchmarks.monitoring.section import PARTS, write
from benchmarks.monitoring.worlds import SCENARIOS

CACHE = Path.home() / ".cache" / "perennial" / "bench-monitoring"


def main() -> None:
    """Run cells, or one scenario by hand."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.monitoring")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seeds", type=int, default=20, help="at most so many of each cell")
    parser.add_argument("--folder", type=Path, default=CACHE, help="where the results are kept")
    parser.add_argument("--write", action="store_true", help="only write the section")
    hand = parser.add_argument_group("by hand")
    hand.add_argument("--days", type=int)
    hand.add_argument("--rows", type=int, default=1_000)
    hand.add_argument("--seed", type=int, default=0)
    hand.add_argument("--history", type=int, default=60)
    hand.add_argument("--delay", type=float, default=30.0, help="hours until a label")
    options = parser.parse_args()
    if options.days is not None:
        (scenario,) = options.parts
        if scenario not in SCENARIOS:
            parser.error(f"{scenario!r} was found; a scenario is one of {', '.join(SCENARIOS)}")
        name = f"{scenario}-{options.rows}-{options.history}-{options.delay:g}-{options.seed}"
        folder = options.folder if options.folder != CACHE else CACHE / "by-hand" / name
        show_days(
            scenario,
            rows=options.rows,
            days=options.days,
            seed=options.seed,
            history=options.history,
            delay=options.delay,
            folder=folder,
        )
        return
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"{', '.join(unknown)}: a part is one of {', '.join(PARTS)}")
    logging.getLogger("perennial").setLevel(logging.CRITICAL)
    if not options.write:
        cells: list[Cell] = []
        for part in options.parts or PARTS:
            cells += [cell for cell in PARTS[part].cells() if cell.seed < options.seeds]
        # Every row gets its first seed before any gets its second.
        run_cells(sorted(cells, key=lambda cell: cell.seed), options.folder)
    write(options.folder)


if __name__ == "__main__":
    main()
