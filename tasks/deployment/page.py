"""The page of a deployment: what was put into service, how it was checked, what came of it."""

from contract.run import Run
from pages import Alert, Facts, PageSection, Status, TableBlock, render
from tasks.deployment.checks import TOLERANCE
from tasks.deployment.report import Deployed


def draw(found: Deployed, this: Run, latency_limit: float) -> str:
    """Return the page; `latency_limit` in seconds."""
    is_deployed = found.outcome == "deployed"
    before = found.previous[:12] if found.previous else "no model"
    lead = (
        f"{found.digest[:12]} serves {this.name} instead of {before}."
        if is_deployed
        else f"{found.digest[:12]} was taken back; {before} serves as before."
    )
    return render(
        f"Deployment of {this.name}",
        status=Status("good" if is_deployed else "bad", found.outcome),
        lead=lead,
        sections=[
            PageSection(
                "What came of it",
                Alert("good" if is_deployed else "bad", found.reason),
                Facts(
                    {
                        "model": found.digest[:12],
                        "before": before,
                        "service": found.url or "none reached",
                        "window end": this.window_end,
                    }
                ),
            ),
            *([PageSection("The canary", _steps(found))] if found.steps else []),
            PageSection("Asked of the service", _checks(found, latency_limit)),
        ],
        footer={"problem": this.name, "run": this.run_id, "digest": found.digest},
    )


def _checks(found: Deployed, latency_limit: float) -> TableBlock:
    canary, latency = found.canary, found.latency_p99
    rows: list[list[object]] = [
        [
            "canary rows answered as the bundle's own reader does",
            None if canary is None else canary.rows,
            "at least 1",
        ],
        [
            "largest difference of a number",
            None if canary is None else canary.largest_difference,
            f"at most {TOLERANCE:g}",
        ],
        [
            "99 of 100 requests take, ms",
            None if latency is None else latency * 1000,
            f"at most {latency_limit * 1000:g}",
        ],
    ]
    return TableBlock(["question", "found", "expected"], rows)


def _steps(found: Deployed) -> TableBlock:
    columns = [
        "step",
        "share",
        "answers",
        "errors",
        "refused rows (422)",
        "99 of 100 take, ms",
        "stability index of the scores",
        "decided alike",
    ]
    rows: list[list[object]] = []
    for place, step in enumerate(found.steps):
        own = [step.answers, step.errors, step.refused, _ms(step.latency_p99)]
        rows.append([str(place + 1), step.share, *own, step.stability_index, step.agreement])
        other = [step.champion_answers, step.champion_errors, step.champion_refused]
        latency = _ms(step.champion_latency_p99)
        rows.append(["beside it, the champion", 1 - step.share, *other, latency, None, None])
    return TableBlock(columns, rows)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds
