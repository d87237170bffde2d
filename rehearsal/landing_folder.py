"""The files that sources read: one for the past, and one for each morning with what became known."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rehearsal.world import Landing

PAST = "past"


class LandingFolder:
    """Rows on their way to the sources' files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pending: dict[str, list[Landing]] = {}

    def pattern(self, source: str) -> str:
        """Return the pattern of a source's files."""
        return str(self._folder / source / "*.parquet")

    def expect(self, source: str, landing: Landing) -> None:
        """Keep rows until they are known."""
        self._pending.setdefault(source, []).append(landing)

    def land(self, until: int, name: str) -> None:
        """Write what became known by `until`, microseconds since 1970, to files of that name.

        Nothing is written where a file of the name is there: a day that is rehearsed again lands
        the same rows.
        """
        for source, pending in self._pending.items():
            known, later = [], []
            for landing in pending:
                is_known = landing.known <= until
                if is_known.all():
                    known.append(landing.table)
                elif not is_known.any():
                    later.append(landing)
                else:
                    known.append(landing.table.filter(pa.array(is_known)))
                    rest = ~is_known
                    later.append(Landing(landing.table.filter(pa.array(rest)), landing.known[rest]))
            self._pending[source] = later
            rows = sum(table.num_rows for table in known)
            path = self._folder / source / f"{name}.parquet"
            if rows and not path.exists():
                self._write(path, pa.concat_tables(known, promote_options="permissive"))

    def land_once(self, source: str, table: pa.Table) -> None:
        """Write a table that is known from the beginning."""
        self.expect(source, Landing(table, np.full(table.num_rows, np.iinfo(np.int64).min)))

    def _write(self, path: Path, table: pa.Table) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        pq.write_table(table, partial, compression="zstd")
        partial.rename(path)
