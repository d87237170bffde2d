"""The section of monitoring's page on the champion's loss, and on what a refit would save."""

from contract.decision import Decision
from pages import Facts, PageSection, Paragraph, format_share


def model_section(decision: Decision) -> PageSection:
    """Show the loss beside its baseline, and the probe or why there was none."""
    facts: dict[str, object] = {}
    performance, probe = decision.performance, decision.probe
    if performance is not None:
        facts |= {
            performance.metric.replace("_", " "): performance.cur,
            "baseline": performance.ref,
            "z": performance.z,
            "labelled rows": performance.n_labelled,
            "of all served": format_share(performance.coverage),
        }
    if probe is not None and probe.gain is not None:
        facts |= {"a refit saves": format_share(probe.gain, signed=True), "z of the refit": probe.z}
    skipped = probe.skipped if probe is not None else None
    reason = [Paragraph(f"No refit was tried: {skipped}")] if skipped else []
    return PageSection("Is the model worse, would a new one be better?", Facts(facts), *reason)
