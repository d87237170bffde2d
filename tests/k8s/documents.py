"""The commands that a document tells a person to type."""

import re
from pathlib import Path


def commands(document: Path, heading: str) -> list[str]:
    """Return the blocks of commands below a heading."""
    text = document.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    return re.findall(r"```console\n(.*?)```", text.partition("\n## ")[0], re.DOTALL)
