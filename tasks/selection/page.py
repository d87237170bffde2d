"""The page of selection: who is best, by how much, and against a constant prediction."""

from contract.run import Run
from methods.models.families.leaderboard import Difference, Leaderboard, LeaderboardEntry
from pages import (
    Alert,
    Block,
    Chart,
    Facts,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
    bars,
    format_duration,
    format_value,
    intervals,
    render,
)


def page(board: Leaderboard, run: Run) -> str:
    """Return the page."""
    known = [entry for entry in board.entries if entry.score is not None]
    best = known[0]
    return render(
        f"Selection for {run.name}",
        status=Status("good" if best.family != "dummy" else "bad", f"best: {best.family}"),
        lead=_lead(board, best),
        sections=[
            PageSection("Leaderboard", *_leaderboard(board, known)),
            PageSection("Differences to the best", *_differences(known, best)),
            PageSection("How it was compared", _how(board)),
        ],
        footer={"run": run.run_id, "problem": run.name, "window end": run.window_end},
    )


def _lead(board: Leaderboard, best: LeaderboardEntry) -> str:
    if best.family == "dummy":
        return "No candidate beats a constant prediction on unseen rows: check the columns."
    gain = best.to_dummy
    summary = f"{best.family} is best with {board.metric} {format_value(best.score)}"
    return (
        f"{summary}, {format_value(gain.value)} better than a constant prediction."
        if gain
        else f"{summary}."
    )


def _leaderboard(board: Leaderboard, known: list[LeaderboardEntry]) -> list[Block]:
    rows = [
        [
            entry.family,
            entry.score,
            _interval(entry.to_dummy),
            _interval(entry.to_best),
            format_duration(entry.seconds),
            entry.iterations or None,
            entry.failure or "",
        ]
        for entry in board.entries
    ]
    columns = [
        "family",
        board.metric,
        "gain over dummy",
        "to the best",
        "CPU time",
        "steps",
        "note",
    ]
    blocks: list[Block] = [
        Chart(
            bars(
                [entry.family for entry in known],
                [entry.score for entry in known],
                title=f"{board.metric} of each family",
                highlight=[0],
            ),
            "Each family with its default settings, on the same rows.",
        ),
        TableBlock(columns, rows, highlight=[0]),
    ]
    blocks += [
        Alert("warn", f"{entry.family} has no score: {entry.failure}.")
        for entry in board.entries
        if entry.failure
    ]
    return blocks


def _differences(known: list[LeaderboardEntry], best: LeaderboardEntry) -> list[Block]:
    others = [entry for entry in known if entry.to_best is not None]
    if not others:
        return [Paragraph("There is no other family to compare the best with.")]
    differences = [entry.to_best for entry in others if entry.to_best is not None]
    return [
        Chart(
            intervals(
                [entry.family for entry in others],
                [one.value for one in differences],
                [one.low for one in differences],
                [one.high for one in differences],
                title=f"Difference to {best.family}, 95 % interval",
            ),
            "Paired bootstrap by blocks; an interval that holds 0 is a tie.",
        )
    ]


def _how(board: Leaderboard) -> Block:
    return Facts(
        {
            "train/test pairs": board.pairs,
            "training rows": board.learn_rows,
            "rows scored": board.score_rows,
            "tested on later rows": board.forward,
            "CPU time used": format_duration(board.spent_seconds),
            "budget, with tuning": format_duration(board.budget_seconds),
        }
    )


def _interval(difference: Difference | None) -> str:
    if difference is None:
        return format_value(None)
    return f"{format_value(difference.value)} [{format_value(difference.low)}, {format_value(difference.high)}]"
