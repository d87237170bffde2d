"""What a rehearsal has kept belongs to the code that made it: other code begins anew.

A stage refuses a manifest of another code at its place, and days of two versions in one table would
say nothing about either. A rehearsal is reproducible, so nothing is lost but time.
"""

import shutil
from pathlib import Path

from contract.canonical_json import sha256
from contract.log import log
from contract.runtime.code_digest import code_digest
from contract.stages import STAGES

STAMP = "code"


def keep_or_discard(folder: Path) -> None:
    """Empty a folder of state that other code has made; its request and its keys stay."""
    code = sha256("".join(map(code_digest, STAGES)).encode())
    stamp = folder / STAMP
    known = stamp.read_text("ascii") if stamp.exists() else code
    if known != code:
        log("rehearsal").warning("begun anew: the code has changed", folder=str(folder))
        for name in ("store", "landing", "feedback", "bundles"):
            shutil.rmtree(folder / name, ignore_errors=True)
        (folder / "days.jsonl").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    stamp.write_text(code, encoding="ascii")
