"""The page: what is odd first, then the target, then every column."""

import itertools
import re
import warnings
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from contract.problem import Problem
from contract.run import Run
from methods.models.leakage import Finding
from methods.split.event_times import MICROSECONDS
from pages import (
    Alert,
    Chart,
    Embed,
    Facts,
    PageSection,
    Paragraph,
    Status,
    bars,
    format_value,
    lines,
    render,
)
from pages.blocks import Block

_LEVELS = {"leak": "bad", "missing": "warn", "duplicate": "warn"}
PERIODS = 30  # stretches of time in the line of the target
SHOWN_CLASSES = 20


def page(
    run: Run,
    problem: Problem,
    sample: pa.Table,
    *,
    rows: int,
    target: np.ndarray,
    classes: Sequence[str],
    times: np.ndarray | None,
    findings: Sequence[Finding],
) -> str:
    """Return the page.

    Args:
        run: for the footer.
        problem: its question and target.
        sample: rows for the report of every column.
        rows: how many development rows there are.
        target: of all development rows, (n,).
        classes: their names; empty for a regression.
        times: of all development rows, microseconds since 1970, or None.
        findings: what is odd.
    """
    leaks = [finding for finding in findings if finding.kind == "leak"]
    result = f"{len(findings)} warnings" if findings else "nothing odd"
    alerts: list[Block] = [
        Alert("bad" if finding.kind == "leak" else "warn", finding.sentence)
        if finding.kind in _LEVELS
        else Paragraph(finding.sentence)
        for finding in findings
    ]
    if not alerts:
        alerts = [Paragraph("No column is constant, mostly missing, doubled or suspected.")]
    sections = [
        PageSection("Warnings first", *alerts),
        PageSection(
            f"The target: {problem.target.column}",
            *_target(target, classes, times),
            note=problem.question,
        ),
        PageSection(
            "Every column",
            Embed(column_report(sample, run.name), "Every column", height=900),
            note=f"A sample of {format_value(sample.num_rows)} of {format_value(rows)} development rows.",
        ),
    ]
    return render(
        f"Exploration of {run.name}",
        status=Status("bad" if leaks else "warn" if findings else "good", result),
        lead=f"{format_value(rows)} development rows; rows of the vault were not read.",
        sections=sections,
        footer={"problem": run.name, "run": run.run_id, "known by": run.window_end},
    )


def _target(target: np.ndarray, classes: Sequence[str], times: np.ndarray | None) -> list[Block]:
    blocks: list[Block] = []
    if classes:
        counts = [int((target == code).sum()) for code in range(len(classes))][:SHOWN_CLASSES]
        names = list(classes)[:SHOWN_CLASSES]
        blocks.append(Chart(bars(names, counts, title="Rows of each class")))
    else:
        quantiles = np.quantile(target, [0, 0.25, 0.5, 0.75, 1])
        labels = ("least", "a quarter below", "half below", "three quarters below", "greatest")
        blocks.append(Facts(dict(zip(labels, map(float, quantiles), strict=True))))
    if times is not None and len(classes) <= 2:  # noqa: PLR2004 - the mean of several is none
        edges = np.linspace(times.min(), times.max() + 1, PERIODS + 1)
        period = np.searchsorted(edges, times, side="right") - 1
        means = [
            float(target[period == i].mean()) if (period == i).any() else None
            for i in range(PERIODS)
        ]
        days = [
            np.datetime64(int(edge / MICROSECONDS), "s").astype("datetime64[D]").item()
            for edge in edges[:-1]
        ]
        title = "Share of the positive class" if classes else "Mean of the target"
        blocks.append(Chart(lines({"target": means}, days, title=f"{title} over time")))
    return blocks


def column_report(sample: pa.Table, title: str) -> str:
    """Return skrub's report of a table; the same table gives the same text."""
    with warnings.catch_warnings():
        # Drawing libraries warn about fonts and constant columns; nobody can act on it here.
        warnings.simplefilter("ignore")
        import matplotlib as mpl  # noqa: PLC0415 - two seconds that only this function pays
        from skrub import TableReport  # noqa: PLC0415 - the same

        with mpl.rc_context({"svg.hashsalt": "perennial"}):
            report: str = TableReport(sample.to_pandas(), title=title, verbose=0).html()
    # A report names itself and its cells at random, and says when it was drawn.
    numbers = itertools.count()
    report = re.sub(r"<dc:date>[^<]*</dc:date>", "", report)
    report = re.sub(r"report_[0-9a-f]{8}", "report_0", report)
    return re.sub(r'id="[0-9a-f]{8}"', lambda _: f'id="cell-{next(numbers)}"', report)
