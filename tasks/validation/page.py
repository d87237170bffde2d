"""The page that says whether the data can be trusted."""

from collections.abc import Mapping, Sequence

from contract.run import Run
from pages import (
    Facts,
    PageSection,
    Paragraph,
    Status,
    TableBlock,
    bars,
    format_share,
    format_value,
    render,
)
from pages.blocks import Block, Chart
from tasks.validation.results import CheckResult, SourceReport


def page(
    run: Run, reports: Sequence[SourceReport], reasons: Mapping[str, list[tuple[str, int]]]
) -> str:
    """Return the page; a check that failed stands first."""
    rows = sum(report.rows for report in reports)
    quarantined = sum(report.quarantined for report in reports)
    warnings = [c for r in reports for c in r.checks if not c.success and c.severity == "warning"]
    status = Status("warn" if warnings or quarantined else "good", "passed")
    lead = f"{format_value(rows)} rows were checked, {format_value(quarantined)} were set aside with their reason"
    lead += f"; {len(warnings)} warnings." if warnings else "."
    sections = [_section(report, reasons[report.source]) for report in reports]
    return render(
        f"Validation of {run.name}",
        status=status,
        lead=lead,
        sections=sections,
        footer={"problem": run.name, "run": run.run_id, "known by": run.window_end},
    )


def _section(report: SourceReport, reasons: list[tuple[str, int]]) -> PageSection:
    facts = {
        "rows": report.rows,
        "set aside": report.quarantined,
        "share": format_share(report.share),
        "checks": len(report.checks),
    }
    blocks: list[Block] = [Facts(facts)]
    if reasons:
        shown = reasons[:10]
        chart = bars([name for name, _ in shown], [n for _, n in shown], title="Rows set aside")
        blocks.append(Chart(chart, "Why rows were set aside; a row may have more than one reason."))
    else:
        blocks.append(Paragraph("Every row fulfils every critical check."))
    ordered = sorted(report.checks, key=lambda check: check.success)
    blocks.append(
        TableBlock(["check", "severity", "result", "found"], [_row(check) for check in ordered])
    )
    return PageSection(report.source, *blocks)


def _row(check: CheckResult) -> list[object]:
    level: Status = Status("good", "fulfilled")
    if not check.success:
        level = Status("bad" if check.severity == "critical" else "warn", "not fulfilled")
    return [check.name, check.severity, level, check.observed]
