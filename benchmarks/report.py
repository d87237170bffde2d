"""Puts what a benchmark measured into `docs/measurements.md`, in a section of its own."""

import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "measurements.md"
HEAD = """# Measurements

Each section is written by the command that it names.
Seconds depend on the machine and on its neighbours; read ratios and CPU-seconds.
"""


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; floats with two digits."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def write_section(title: str, command: str, text: str) -> None:
    """Put the section `title` into the page, in place of an older one."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}"
    section = f"## {title}\n\n`{command}` ({machine})\n\n{text.strip()}\n"
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    old = re.compile(rf"## {re.escape(title)}\n.*?(?=\n## |\Z)", re.DOTALL)
    page = old.sub(lambda _: section, page) if old.search(page) else f"{page.rstrip()}\n\n{section}"
    PAGE.write_text(page, encoding="utf-8")
    print(section)


def _cell(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
