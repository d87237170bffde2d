"""The page of a deployment: which model was rolled out, how it was checked, and the outcome."""

from contract.run import Run
from pages import Alert, Facts, PageSection, Status, TableBlock, render
from tasks.deployment.result import Deployed
from tasks.deployment.verification import TOLERANCE


def page(deployed: Deployed, run: Run, latency_limit: float) -> str:
    """Return the page; `latency_limit` in seconds."""
    is_deployed = deployed.outcome == "deployed"
    before = deployed.previous[:12] if deployed.previous else "no model"
    lead = (
        f"{deployed.digest[:12]} serves {run.name} instead of {before}."
        if is_deployed
        else f"{deployed.digest[:12]} was taken back; {before} serves as before."
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
                        "model": deployed.digest[:12],
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
            f"at most {TOLERANCE:g}",
        ],
        [
            "99 of 100 requests take, ms",
            None if latency is None else latency * 1000,
            f"at most {latency_limit * 1000:g}",
        ],
    ]
    return TableBlock(["check", "result", "expected"], rows)


def _steps(deployed: Deployed) -> TableBlock:
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
    for index, step in enumerate(deployed.steps):
        own = [step.answers, step.errors, step.refused, _ms(step.latency_p99)]
        rows.append([str(index + 1), step.share, *own, step.stability_index, step.agreement])
        beside = [step.champion_answers, step.champion_errors, step.champion_refused]
        latency = _ms(step.champion_latency_p99)
        rows.append(["beside it, the champion", 1 - step.share, *beside, latency, None, None])
    return TableBlock(columns, rows)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds
