"""Answers the rows of a day by the models that served on it, and measures what they were worth."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import bundle
from bundle.arrays import Floats
from bundle.model import Model
from contract.problem import Problem
from contract.store.client import Store
from contract.store.ledger import Ledger
from contract.times import microseconds
from methods.models.metrics import row_losses
from rehearsal.answered import Answered, RowService
from rehearsal.json_rows import json_rows
from rehearsal.measured import truth_numbers, worth
from rehearsal.rehearsed_day import RehearsedDay
from rehearsal.world import WorldDay


class ServedDays:
    """The service of one problem, day after day."""

    def __init__(self, store: Store, problem: Problem, folder: Path) -> None:
        self._store = store
        self._problem = problem
        self._folder = folder
        self._models: dict[str, Model] = {}

    def answer(self, record: RehearsedDay, day: WorldDay) -> RehearsedDay:
        """Answer a day's rows, log them, and return the record with what they were worth."""
        serving = self._serving()
        rows = json_rows(day.asked)
        cuts = np.searchsorted(day.moments, [microseconds(at) for at, _ in serving]).tolist()
        sizes: list[int] = []
        losses: list[float | None] = []
        values: list[float | None] = []
        kept: list[int] = []
        ids: list[tuple[str, int]] = []
        for (_, digest), start, end in zip(serving, cuts, [*cuts[1:], len(rows)], strict=True):
            if start == end:
                continue
            model = self._model(digest)
            service = RowService(self._store, self._problem.name, model)
            moments = day.moments[start:end].tolist()
            name = f"day-{record.number:05d}-{start}"
            got = service.answer(rows[start:end], moments, name)
            found = self._worth(model, got, [day.truth[start + row] for row in got.rows.tolist()])
            sizes.append(len(got.rows))
            losses.append(found[0])
            values.append(found[1])
            kept += [start + row for row in got.rows.tolist()]
            ids += got.request_ids
        if day.feedback is not None:
            told = [
                (request, row, day.truth[at], int(day.feedback[at]))
                for (request, row), at in zip(ids, kept, strict=True)
            ]
            self._keep(record.number, told)
        first_loss, first_value = self._first(serving[0][1], day, kept)
        return record.model_copy(
            update={
                "rows": len(kept),
                "refused_rows": len(rows) - len(kept),
                "digest": serving[-1][1],
                "loss": _pooled(sizes, losses),
                "value": _pooled(sizes, values),
                "first_loss": first_loss,
                "first_value": first_value,
                "best_loss": self._best(serving[0][1], day, kept),
            }
        )

    def send_feedback(self, number: int, until: datetime) -> None:
        """Send each kept label that clients know by `until` and have not sent yet."""
        end = microseconds(until)
        for path in sorted(self._folder.glob("*.json")):
            waiting = json.loads(path.read_text("utf-8"))
            due = [(tuple(each[:2]), each[2]) for each in waiting if each[3] <= end]
            if not due:
                continue
            model = self._model(self._serving()[-1][1])
            RowService(self._store, self._problem.name, model).take_feedback(
                [((str(request), int(row)), label) for (request, row), label in due],
                end,
                f"feedback-{path.stem}-{number:05d}",
            )
            rest = [each for each in waiting if each[3] > end]
            path.unlink()
            if rest:
                path.write_text(json.dumps(rest), encoding="utf-8")

    def _serving(self) -> list[tuple[datetime, str]]:
        """Return since when each model has served, oldest first; the first one from the beginning."""
        entries = Ledger(self._store, self._problem.name).entries()
        found = [(each.at, str(each.digest)) for each in entries if each.kind == "deployed"]
        return [(datetime.min.replace(tzinfo=UTC), found[0][1]), *found[1:]]

    def _model(self, digest: str) -> Model:
        if digest not in self._models:
            cache = self._folder.parent / "bundles"
            folder = bundle.fetch(self._store, self._problem.name, digest, cache)
            self._models[digest] = bundle.load(folder, digest=digest)
        return self._models[digest]

    def _worth(
        self, model: Model, got: Answered, truth: Sequence[object]
    ) -> tuple[float | None, float | None]:
        return worth(model, got.scores, truth, self._problem.metric.value)

    def _first(
        self, digest: str, day: WorldDay, kept: Sequence[int]
    ) -> tuple[float | None, float | None]:
        """Return what the first model would have been worth on the answered rows."""
        if not kept:
            return None, None
        model = self._model(digest)
        table = day.asked.take(list(kept))
        scores = model.scores(model.encoder.batch(table))
        truth = [day.truth[at] for at in kept]
        return worth(model, scores, truth, self._problem.metric.value)

    def _best(self, digest: str, day: WorldDay, kept: Sequence[int]) -> float | None:
        if day.chance is None or not kept:
            return None
        truth = truth_numbers(self._model(digest), [day.truth[at] for at in kept])
        known = ~np.isnan(truth)
        chance: Floats = day.chance[list(kept)][known]
        return float(row_losses("binary", truth[known], chance).mean()) if known.any() else None

    def _keep(self, number: int, told: Sequence[tuple[object, ...]]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{number:05d}.json"
        path.write_text(json.dumps([list(each) for each in told]), encoding="utf-8")


def _pooled(sizes: Sequence[int], means: Sequence[float | None]) -> float | None:
    """Return the mean over all rows of the parts whose mean is known."""
    known = [(n, mean) for n, mean in zip(sizes, means, strict=True) if mean is not None and n]
    rows = sum(n for n, _ in known)
    return sum(n * mean for n, mean in known) / rows if rows else None
