"""Where the labels of a problem come from: its labels' source, or feedback; and how they are joined."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from contract.prediction_log import ROW_REFERENCE, key_column
from contract.problem import Problem
from contract.store.client import Store
from contract.times import microseconds
from methods.tables.snapshot import Snapshot
from tasks.monitoring.evidence.label_parts import SourceLabels
from tasks.monitoring.evidence.label_versions import LabelVersions, from_feedback
from tasks.monitoring.evidence.lateness import (
    Lateness,
    declared,
    first_labels,
    lateness_of,
)
from tasks.monitoring.evidence.segments import SegmentLog

FEEDBACK = "feedback"
FEEDBACK_DAYS = timedelta(days=120)  # of the service's clock, in which it is seen how late it comes
SHOWN = 3  # files that a note names; more are counted


def joined_columns(problem: Problem) -> tuple[str, ...]:
    """Return the log's columns that labels are joined on."""
    if problem.labels.source == FEEDBACK:
        return ROW_REFERENCE
    return tuple(key_column(name) for name in problem.labels.on)


def open_labels(
    store: Store, problem: Problem, snapshot: Snapshot, scratch: Path
) -> SourceLabels | None:
    """Return the labels' source; None where labels come as feedback, or it has no key or target."""
    source = snapshot.sources.get(problem.labels.source)
    if source is None or not problem.labels.on:
        return None
    labels = SourceLabels(store, problem, source, scratch)
    return None if labels.is_empty else labels


def expected_lateness(
    store: Store, problem: Problem, source: SourceLabels | None, day: date
) -> Lateness:
    """Return how late labels come, as a first look at them shows: so far back is read."""
    if problem.labels.source == FEEDBACK:
        versions = from_feedback(store, problem.name, day - FEEDBACK_DAYS)
        return lateness_of(*first_labels(versions), None, declared(problem))
    if source is None:
        return declared(problem)
    return lateness_of(*first_labels(source.some()), None, declared(problem))


def read_versions(
    store: Store, problem: Problem, source: SourceLabels | None, since: datetime
) -> LabelVersions | None:
    """Return the versions of the labels of events since a moment; None: they cannot be joined."""
    if problem.labels.source == FEEDBACK:
        return from_feedback(store, problem.name, since.date())
    return None if source is None else source.versions(microseconds(since))


def log_notes(log: SegmentLog, joined: Sequence[str]) -> tuple[str, ...]:
    """Say which files of the log cannot be read, or cannot be joined with labels."""
    keyless = [
        f"The log file {key} has no column {' and no '.join(missing)}: its rows get no label; "
        "redeploy the model, or send the key with every row."
        for key, entry in log.files.items()
        if entry.days
        and joined != ROW_REFERENCE
        and (missing := [name for name in joined if name not in entry.keys])
    ]
    notes: list[str] = []
    for sentences, what in ((log.faults, "cannot be read"), (keyless, "have no key")):
        notes += sentences[:SHOWN]
        if len(sentences) > SHOWN:
            notes.append(f"{len(sentences) - SHOWN} more files of the log {what}.")
    return tuple(notes)
