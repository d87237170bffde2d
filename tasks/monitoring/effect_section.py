"""The section of monitoring's page on what the newest promotion did."""

from contract.formatting import format_amount, format_score
from contract.performance import Effect
from pages import Alert, Facts, Level, PageSection


def effect_section(effect: Effect) -> PageSection:
    """Say whether the promotion helped, and what it earned."""
    facts: dict[str, object] = {
        "rows": effect.rows,
        f"{effect.metric.replace('_', ' ')} of the model before": effect.before,
        "of the promoted one": effect.after,
        "z of the saving": effect.z,
    }
    if effect.earned is not None:
        interval = effect.earned_low, effect.earned_high
        facts["earned"] = format_score(effect.earned, effect.unit, *interval, signed=True)
        facts["in all"] = format_amount(effect.earned * effect.rows, effect.unit, signed=True)
    level: Level = "good" if effect.helped else "warn" if effect.is_final else "neutral"
    return PageSection("Did the promotion help?", Alert(level, effect.sentence), Facts(facts))
