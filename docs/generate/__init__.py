"""Pages that are made from the code, so that they cannot say otherwise.

`python -m docs.generate` writes them; a test makes each in memory and compares.
"""

from collections.abc import Callable
from pathlib import Path

from docs.generate import command, dags, manifest, policy, problem, stages

DOCS = Path(__file__).parent.parent
PAGES: dict[Path, Callable[[], str]] = {
    DOCS / "command.md": command.page,
    DOCS / "dags.md": dags.page,
    DOCS / "manifest.md": manifest.page,
    DOCS / "policy.md": policy.page,
    DOCS / "problem.md": problem.page,
    DOCS / "problem.schema.json": problem.schema_file,
    **stages.PAGES,
}
