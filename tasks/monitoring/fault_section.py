"""The section of monitoring's page on what is broken in the data."""

import shlex

from contract.decision import Decision
from pages import PageSection, Paragraph, TableBlock


def fault_section(decision: Decision) -> PageSection:
    """List the checks that did not pass, and say how a person accepts them."""
    rows = [
        [fault.column or "all rows", fault.check, fault.sentence, fault.found, fault.limit]
        for fault in decision.dq
    ]
    columns = dict.fromkeys(fault.column for fault in decision.dq if fault.column is not None)
    names = [shlex.quote(column) for column in columns]
    adopted = names[0] if len(names) == len(rows) == 1 else "--all"
    command = f"perennial adopt {decision.problem} {adopted} --reason TEXT"
    return PageSection(
        "What is broken",
        TableBlock(["column", "check", "what it is", "value", "limit"], rows),
        Paragraph(
            "Where this is how the data will be from now on, a person accepts it with "
            f"`{command}`; one column of several by its name instead of --all."
        ),
    )
