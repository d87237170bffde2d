"""The page of tuning: what the search found, and the plan that training follows."""

from collections.abc import Sequence

from contract.run import Run
from methods.models.families import TrainingPlan
from pages import (
    Block,
    Chart,
    Facts,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
    format_duration,
    format_value,
    lines,
    render,
)
from tasks.tuning.search import ScoredTrial

_SHOWN = 20
DAY_SECONDS = 86_400


def page(plan: TrainingPlan, tried: Sequence[ScoredTrial], gain: float, run: Run) -> str:
    """Return the page; `tried` is empty where a stored plan was replayed."""
    kinds = " + ".join(member.family for member in plan.members)
    summary = f"{kinds}: {plan.metric} {format_value(plan.score)} on the rows that selected it"
    sections = [PageSection("The plan", *_plan(plan))]
    if tried:
        sections.append(PageSection("The search", *_search(plan, tried, gain)))
        lead = f"{summary}, {format_value(gain)} better than the best default settings."
    else:
        lead = f"{summary} when it was found; this run replays it unchanged."
    return render(
        f"Tuning for {run.name}",
        status=Status("good" if tried else "neutral", "searched" if tried else "replayed"),
        lead=lead,
        sections=sections,
        footer={"run": run.run_id, "problem": run.name, "window end": run.window_end},
    )


def _plan(plan: TrainingPlan) -> list[Block]:
    rows = [
        [
            member.family,
            member.weight,
            member.iterations or None,
            ", ".join(
                f"{name} {format_value(value)}" for name, value in sorted(member.settings.items())
            ),
        ]
        for member in plan.members
    ]
    days = plan.window.half_life_days
    half_life = "all rows count alike" if days is None else format_duration(days * DAY_SECONDS)
    return [
        TableBlock(["family", "weight", "steps", "settings"], rows),
        Facts(
            {
                "calibration": plan.calibration,
                "threshold": plan.threshold,
                "training rows": plan.rows,
                "half-life": half_life,
                "seed": plan.seed,
            }
        ),
    ]


def _search(plan: TrainingPlan, tried: Sequence[ScoredTrial], gain: float) -> list[Block]:
    so_far: list[float] = []
    for one in tried:
        so_far.append(max(one.goodness, so_far[-1] if so_far else one.goodness))
    best = sorted(tried, key=lambda one: (-one.goodness, one.number))[:_SHOWN]
    rows = [[one.number, one.family, one.goodness, format_duration(one.seconds)] for one in best]
    return [
        Facts({"trials": len(tried), "gain over defaults": gain}),
        Chart(
            lines(
                {"best so far": so_far, "trial": [one.goodness for one in tried]},
                title="Goodness by trial",
                x_label="trial",
            ),
            f"Greater is better; {plan.metric}, or log-loss where the metric needs a threshold, "
            "turned so that greater is better.",
        ),
        TableBlock(
            ["trial", "family", "goodness", "CPU time"],
            rows,
            caption=f"The best {len(rows)} of {len(tried)} trials.",
        ),
        Paragraph(
            "The plan was selected on these rows, so its score is optimistic; the gate measures an unbiased one."
        ),
    ]
