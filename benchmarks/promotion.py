"""How often the gate says what it should: equal challengers, and ones that are worse by the margin.

Made-up answers of known quality, on 28 days: rows with a day effect in the truth, and models whose
errors belong partly to the row and partly to the day, as of models that learnt different rows. An equal
challenger errs as much as the champion, elsewhere; a worse one errs so much more that it keeps nine
tenths of the champion's gain over a constant answer. The gate that judges them is the product's own.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from benchmarks.report import table, write_section
from bundle.arrays import Floats
from contract.problem.gates import BeatsChampion
from methods.models.bootstrap import Scored
from methods.models.metrics import METRICS
from methods.models.yardstick import Yardstick, proper_score, value_yardstick, with_rows
from tasks.evaluation.rivals import Rivals
from tasks.evaluation.superiority import check_champion, rule_for
from tasks.evaluation.vault import Vault

RUNS, DAYS = 200, 28
ROWS = (200, 2_000)
REASONS = {"age": "not worse", "nightly": "better", "performance": "answers an alarm"}
YARDSTICKS: dict[str, Yardstick] = {
    "roc_auc": with_rows(METRICS["roc_auc"]),
    "$ a decision": value_yardstick({"true_positive": 12.0, "false_positive": -3.0}, "$"),
    "log_loss": with_rows(METRICS["log_loss"]),
}
CUT = 0.2  # of decisions: cost / (cost + benefit)
MARGIN_DEVIATION = 1.2  # of the true log-odds
DAY_TRUTH = 0.08  # deviation of a day's log-odds
ERROR, DAY_ERROR = 0.5, 0.05  # deviation of a model's log-odds by row and by day
SHARED = 0.5  # of the variance of two models' errors: both learnt the same past
MANY = 2_000_000
Z = 1.959964


@dataclass(frozen=True)
class Case:
    """One cell: a yardstick, rows a day, and how much more the challenger errs."""

    yardstick: str
    rows: int
    error: float


def main() -> None:
    """Measure and write the section."""
    lines = []
    for name, yardstick in YARDSTICKS.items():
        worse = error_of_margin(name)
        for rows in ROWS:
            equal_runs = [run(Case(name, rows, ERROR), seed) for seed in range(RUNS)]
            worse_runs = [run(Case(name, rows, worse), seed) for seed in range(RUNS)]
            seen, margin = (
                yardstick.describe(float(np.median([one[fact] for one in equal_runs])))
                for fact in ("seen", "margin")
            )
            lines.append(
                [
                    name,
                    f"{rows:,}",
                    *(_share([one[reason] for one in equal_runs]) for reason in REASONS),
                    _share([one["age"] for one in worse_runs]),
                    margin,
                    seen,
                ]
            )
    heads = ["yardstick", "rows a day"]
    heads += [f"equal: {rule}" for rule in REASONS.values()]
    heads += ["worse by the margin: not worse", "margin (10 %)", "gain that could be seen"]
    text = (
        f"{RUNS} re-runs a cell, {DAYS} days as blocks; shares with Wilson's 95 % intervals. Goals from "
        "2,000 rows a day on: equal models are not worse in at least 80 %, better in at most 5 %; those "
        "worse by the margin pass as not worse in at most 5 %.\n\n" + table(heads, lines)
    )
    write_section("What the gate lets pass", "make bench-promotion", text)


def run(case: Case, seed: int) -> dict[str, float]:
    """Judge one challenger by each rule; 1 where it passes."""
    random = np.random.default_rng([seed, case.rows])
    truth, champion, challenger, blocks = answers(
        random, case.rows * DAYS, case.rows, ERROR, case.error
    )
    vault = Vault(pa.table({"day": blocks}), truth, blocks, truth)
    yardstick = YARDSTICKS[case.yardstick]
    rivals = Rivals(
        vault,
        yardstick,
        proper_score("binary"),
        Scored(challenger, CUT),
        Scored(champion, CUT),
        constant(yardstick, truth),
        classes=2,
        seed=seed,
    )
    found: dict[str, float] = {}
    for reason in REASONS:
        rule = rule_for(reason, has_champion=True)
        compared = check_champion(rivals, rule=rule, reason=reason, required=BeatsChampion())
        found[reason] = float(compared.check.passed is True)
        found["seen"] = compared.seen or 0.0
        found["margin"] = compared.margin or 0.0
    return found


def answers(
    random: np.random.Generator, rows: int, a_day: int, first: float, second: float
) -> tuple[Floats, Floats, Floats, np.ndarray]:
    """Return truth, probabilities of two models with these errors, and the day of each row."""
    blocks = np.arange(rows) // a_day
    days = int(blocks[-1]) + 1
    odds = random.normal(-1.0, MARGIN_DEVIATION, rows)
    chance = _sigmoid(odds + DAY_TRUTH * random.normal(size=days)[blocks])
    truth = (random.random(rows) < chance).astype(np.float64)
    both, both_days = random.normal(size=rows), random.normal(size=days)
    found = []
    for error in (first, second):
        own = SHARED**0.5 * both + (1.0 - SHARED) ** 0.5 * random.normal(size=rows)
        day = SHARED**0.5 * both_days + (1.0 - SHARED) ** 0.5 * random.normal(size=days)
        seen = odds + error * own + DAY_ERROR * day[blocks]
        # What is known of the log-odds from an observation with an error: nearer to their mean.
        kept = MARGIN_DEVIATION**2 / (MARGIN_DEVIATION**2 + error**2)
        found.append(_sigmoid(-1.0 + kept * (seen + 1.0)))
    return truth, found[0], found[1], blocks


def error_of_margin(name: str) -> float:
    """Return the error of a model that keeps nine tenths of what the champion's gains."""
    yardstick = YARDSTICKS[name]

    def kept(error: float) -> float:
        random = np.random.default_rng(1)
        truth, champion, challenger, _ = answers(random, MANY, 2_000, ERROR, error)
        base = constant(yardstick, truth)
        none = yardstick.score(truth, base.predicted, base.threshold)
        gains = [
            yardstick.gain(yardstick.score(truth, one, CUT), none) for one in (champion, challenger)
        ]
        return gains[1] / gains[0]

    low, high = ERROR, 4.0 * ERROR
    for _ in range(12):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if kept(middle) > 0.9 else (low, middle)
    return 0.5 * (low + high)


def constant(yardstick: Yardstick, truth: Floats) -> Scored:
    """Return the best constant answer to these rows."""
    base = np.full(len(truth), float(truth.mean()))
    choices = [Scored(base, cut) for cut in ((0.0, 2.0) if yardstick.decides else (0.5,))]
    return max(
        choices,
        key=lambda one: yardstick.goodness(yardstick.score(truth, base, one.threshold)),
    )


def _share(passed: list[float]) -> str:
    """Return the share with Wilson's interval: Wilson, JASA 22, 1927."""
    n, share = len(passed), sum(passed) / len(passed)
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * (share * (1 - share) / n + Z**2 / (4 * n * n)) ** 0.5
    return f"{100 * share:.1f} % [{100 * (middle - half):.1f}, {100 * (middle + half):.1f}]"


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-x)), dtype=np.float64)


if __name__ == "__main__":
    main()
