"""The page of a deployment: which model was rolled out, how it was checked, and the outcome."""

from contract.formatting import format_digest
from contract.run import Run
from pages import (
    Alert,
    Facts,
    PageSection,
    Status,
    TableBlock,
    format_duration,
    format_share,
    format_value,
    render,
)
from tasks.deployment.result import Deployed
from tasks.deployment.verification import TOLERANCE


def page(deployed: Deployed, run: Run, latency_limit: float) -> str:
    """Return the page; `latency_limit` in seconds."""
    is_deployed = deployed.outcome == "deployed"
    before = format_digest(deployed.previous, "no model")
    lead = (
        f"{format_digest(deployed.digest)} serves {run.name} instead of {before}."
        if is_deployed
        else f"{format_digest(deployed.digest)} was taken back; {before} serves as before."
    )
    return render(
        f"Deployment of {run.name}",
        status=Status("good" if is_deployed else "bad", deployed.outcome),
        lead=lead,
        sections=[
            PageSection(
                "Outcome",
                Alert("good" if is_deployed else "bad", deployed.reason),
                Facts(
                    {
                        "model": format_digest(deployed.digest),
                        "before": before,
                        "service": deployed.url or "none reached",
                        "window end": run.window_end,
                    }
                ),
            ),
            *([PageSection("The canary", _steps(deployed))] if deployed.steps else []),
            PageSection("Checks of the service", _checks(deployed, latency_limit)),
        ],
        footer={"problem": run.name, "run": run.run_id, "digest": deployed.digest},
    )


def _checks(deployed: Deployed, latency_limit: float) -> TableBlock:
    canary, latency = deployed.canary, deployed.latency_p99
    rows: list[list[object]] = [
        [
            "canary rows answered as the bundle's own reader does",
            None if canary is None else canary.rows,
            "at least 1",
        ],
        [
            "largest difference of a number",
            None if canary is None else canary.largest_difference,
            f"at most {format_value(TOLERANCE)}",
        ],
        [
            "99 of 100 requests take up to",
            format_duration(latency),
            f"at most {format_duration(latency_limit)}",
        ],
    ]
    if deployed.latency is not None:
        rows += [
            [
                "99 of 100 empty requests between them",
                format_duration(deployed.latency.empty_p99),
                "a busy machine delays both alike",
            ],
            [
                "the difference",
                format_duration(deployed.latency.excess),
                f"at most {format_duration(latency_limit)}, where the first is more",
            ],
            [
                "99 of 100 rows at their quickest",
                format_duration(deployed.latency.quickest),
                f"at most {format_duration(latency_limit)}, as above",
            ],
        ]
    return TableBlock(["check", "result", "expected"], rows, align=["left", "right", "left"])


def _steps(deployed: Deployed) -> TableBlock:
    columns = [
        "step",
        "share",
        "answers",
        "errors",
        "refused (422)",
        "99 of 100 take up to",
        "stability index",
        "decided alike",
    ]
    rows: list[list[object]] = []
    for index, step in enumerate(deployed.steps):
        rows.append(
            [
                str(index + 1),
                format_share(step.share),
                step.answers,
                step.errors,
                step.refused,
                format_duration(step.latency_p99),
                step.stability_index,
                format_share(step.agreement),
            ]
        )
        rows.append(
            [
                "beside it, the champion",
                format_share(1 - step.share),
                step.champion_answers,
                step.champion_errors,
                step.champion_refused,
                format_duration(step.champion_latency_p99),
                None,
                None,
            ]
        )
    return TableBlock(
        columns, rows, align=["left" if column == "step" else "right" for column in columns]
    )
