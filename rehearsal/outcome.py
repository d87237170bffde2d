"""What the days of a rehearsal come to: one result, and one page."""

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean

from contract.rehearsal import FIRST_REFUSED, RehearsalRequest, RehearsalResult, RehearsedRun
from methods.controller.policy import Policy
from pages import (
    Alert,
    Chart,
    Details,
    Facts,
    Level,
    PageSection,
    Status,
    TableBlock,
    format_share,
    lines,
    render,
)
from rehearsal.rehearsed_day import RehearsedDay
from rehearsal.scenarios import CHANGE

SEEN_DAYS = 7
"""Days whose mean loss is compared with the usual: seven take out the weekdays."""
LEVELS: dict[str, Level] = {"deployed": "good", "failed": "bad"}
CALLED_WELL = {"ok", "watch", "insufficient_data"}


def summarize_days(
    request: RehearsalRequest,
    says: str,
    days: Sequence[RehearsedDay],
    policy: Policy,
    *,
    task: str,
    page: str,
    first_refused: str | None = None,
) -> RehearsalResult:
    """Return the result of the days, of which there is at least one.

    `first_refused` is why the gate refused the first model, if it did.
    """
    rows = sum(day.rows for day in days)
    has_value = any(day.value is not None for day in days)
    faults = Counter(fault for day in days for fault in set(day.faults))
    return RehearsalResult(
        problem=str(request.problem["name"]),
        scenario=request.scenario,
        says=says,
        first=days[0].day,
        last=days[-1].day,
        days=len(days),
        rows=rows,
        refused_rows=sum(day.refused_rows for day in days),
        verdicts=dict(Counter(day.verdict or "no record" for day in days)),
        asked=tuple(
            RehearsedRun(
                day=day.day,
                reason=day.run.reason,
                outcome=day.run.outcome,
                sentence=day.run.sentence,
            )
            for day in days
            if day.run is not None
        ),
        first_refused=first_refused,
        missed=len(missed_days(days, policy.loss_worse)),
        faults=dict(faults),
        told=dict(Counter(message for day in days for message in day.told)),
        metric="squared error" if task == "regression" else "log loss",
        loss=_mean(days, lambda day: day.loss),
        first_loss=_mean(days, lambda day: day.first_loss),
        best_loss=_mean(days, lambda day: day.best_loss),
        value=_total(days, lambda day: day.value) if has_value else None,
        first_value=_total(days, lambda day: day.first_value) if has_value else None,
        page=page,
        cpu_seconds=round(sum(day.cpu_seconds for day in days), 1),
    )


def missed_days(days: Sequence[RehearsedDay], worse: float) -> list[RehearsedDay]:
    """Return the days that were called well though a week's loss was clearly above the usual.

    The usual is the mean of the days before a scenario's change; `worse` is the share above it.
    A loss is read against the best possible one where that is known: some days are simply harder.
    """
    usual = [extra for day in days[:CHANGE] if (extra := _extra(day)) is not None]
    if not usual:
        return []
    found = []
    for end in range(CHANGE, len(days)):
        week = days[max(CHANGE, end - SEEN_DAYS + 1) : end + 1]
        extras = [extra for day in week if (extra := _extra(day)) is not None]
        losses = [day.loss for day in days[:CHANGE] if day.loss is not None]
        if len(extras) < SEEN_DAYS or not losses:
            continue
        if (
            fmean(extras) - fmean(usual) > worse * fmean(losses)
            and days[end].verdict in CALLED_WELL
        ):
            found.append(days[end])
    return found


def outcome_page(
    result: RehearsalResult, days: Sequence[RehearsedDay], settings: dict[str, object]
) -> str:
    """Return the HTML of a rehearsal; `settings` are shown as they were asked for."""
    dates = [day.day for day in days]
    series = {"served": [day.loss for day in days], "first model": [day.first_loss for day in days]}
    if result.best_loss is not None:
        series["best possible"] = [day.best_loss for day in days]
    facts: dict[str, object] = {
        "days": result.days,
        "rows answered": result.rows,
        "asked": len(result.asked),
        "promoted": result.promoted,
        "not promoted": len(result.asked) - result.promoted,
        "missed days": result.missed,
        "messages to the owner": sum(result.told.values()),
        "days blocked": result.verdicts.get("blocked_data_quality", 0),
    }
    if result.value is not None and result.first_value is not None:
        facts["earned"] = round(result.value)
        facts["gain over never retraining"] = round(result.value - result.first_value)
    asked = [[run.day, run.reason, _outcome(run.outcome), run.sentence] for run in result.asked]
    sections = [
        PageSection("In numbers", Facts(facts)),
        PageSection(
            f"Mean {result.metric} a day",
            Chart(
                lines(series, dates, title=f"Mean {result.metric} of the answered rows, by day"),
                "By the truth of every row, whenever it becomes known.",
            ),
        ),
        PageSection(
            "What was asked for, and what came of it",
            TableBlock(["day", "reason", "outcome", "why"], asked, empty="Nothing was asked for."),
        ),
        PageSection(
            "Verdicts",
            TableBlock(
                ["verdict", "days", "share"],
                [
                    [verdict, count, format_share(count / result.days)]
                    for verdict, count in sorted(result.verdicts.items())
                ],
            ),
            TableBlock(
                ["fault", "days"],
                [[fault, count] for fault, count in sorted(result.faults.items())],
                empty="No data were called broken.",
            ),
        ),
        PageSection(
            "What the owner would have been told",
            TableBlock(
                ["message", "times"],
                [[message, count] for message, count in sorted(result.told.items())],
                empty="Nothing.",
            ),
        ),
        PageSection(
            "Every day",
            Details(
                f"{len(days)} days",
                TableBlock(
                    ["day", "rows", "loss", "verdict", "reason", "held back by", "why"],
                    [
                        [
                            day.day,
                            day.rows,
                            day.loss,
                            day.verdict,
                            day.reason,
                            day.suppressed_by,
                            day.sentence,
                        ]
                        for day in days
                    ],
                ),
            ),
        ),
        PageSection("Asked for", Facts(settings)),
    ]
    if result.first_refused is not None:
        alert = Alert("warn", f"{FIRST_REFUSED} {result.first_refused}")
        sections.insert(0, PageSection("The first model", alert))
    if result.missed:
        sentence = f"On {result.missed} days the loss was clearly above the usual and the verdict was good."
        sections.insert(0, PageSection("To look at", Alert("warn", sentence)))
    return render(
        f"Rehearsal of {result.problem}: {result.scenario}",
        status=Status("warn" if result.missed else "good", f"{result.promoted} promoted"),
        lead=f"{result.says[:1].upper()}{result.says[1:]}. {result.sentence}",
        sections=sections,
        footer={"problem": result.problem, "scenario": result.scenario},
    )


def _outcome(word: str) -> Status:
    return Status(LEVELS.get(word, "neutral"), word)


def _extra(day: RehearsedDay) -> float | None:
    return None if day.loss is None else day.loss - (day.best_loss or 0.0)


def _total(days: Sequence[RehearsedDay], of: Callable[[RehearsedDay], float | None]) -> float:
    return sum(day.rows * (of(day) or 0.0) for day in days)


def _mean(days: Sequence[RehearsedDay], of: Callable[[RehearsedDay], float | None]) -> float | None:
    known = [day for day in days if of(day) is not None and day.rows]
    rows = sum(day.rows for day in known)
    return _total(known, of) / rows if rows else None
