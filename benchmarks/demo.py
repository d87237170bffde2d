"""`perennial demo` in a folder of its own: what each stage took, what was decided, idle memory."""

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import Machine
from benchmarks.report import table, write_section
from contract.formatting import format_digest, format_time
from contract.manifest import Manifest
from contract.stages import STAGES
from contract.store.client import Store
from contract.store.documents import parse_document
from contract.store.layout import ManifestKey, parse_keys
from perennial.local.home import find_home
from perennial.local.machine_platform import open_platform

SETTLES_SECONDS = 30  # after the last run, before "idle" is measured
TITLE = "The demo"


def main() -> None:
    """Measure and write the section."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)  # root's database runs as another user, who must get in
        machine = Machine(Path(name) / "home", Path(name) / "landing")
        try:
            began = time.monotonic()
            result = machine.ask("demo")
            seconds = time.monotonic() - began
            time.sleep(SETTLES_SECONDS)
            memory = machine.memory()
            store = open_platform(find_home(machine.environment)).store()
            write_section(TITLE, "make bench-demo", _text(result, seconds, memory, _stages(store)))
        finally:
            machine.ask("down")


def _text(
    result: dict[str, Any], seconds: float, memory: dict[str, float], stages: list[list[object]]
) -> str:
    checks = [["yes" if c["holds"] else "**no**", c["claim"], c["found"]] for c in result["checks"]]
    ledger = [
        [format_time(entry["at"]), entry["kind"], format_digest(entry["digest"]), entry["reason"]]
        for entry in result["ledger"]
    ]
    whole = (
        f"The whole demo took **{seconds:.0f} s**, in it the platform's first start, "
        f"**{result['ready_seconds']:.0f} s** until all of it answered. {result['weather']}"
    )
    return "\n\n".join(
        [
            whole,
            "What was verified by reading back from the store, Airflow and the service:",
            table(["", "claim", "found"], checks),
            "What was decided, from the ledger:",
            table(["at", "what", "model", "why"], ledger),
            result["earned"],
            "The stages of the first lifecycle, from their manifests (a stage's own work):",
            table(["stage", "seconds", "CPU-s"], stages),
            "Idle memory after it, one problem served (PSS, MiB):",
            table(list(memory), [[f"{value:.0f}" for value in memory.values()]]),
        ]
    )


def _stages(store: Store) -> list[list[object]]:
    """Return seconds and CPU-seconds of each stage of the first lifecycle, and of a monitoring."""
    found: dict[str, Manifest] = {}
    for key in parse_keys(store.keys(ManifestKey.prefix("flights")), ManifestKey):
        manifest = parse_document(store.get(str(key)), Manifest, str(key))
        first = found.get(manifest.task)
        if first is None or manifest.started < first.started:
            found[manifest.task] = manifest
    return [
        [name, found[name].seconds, found[name].cpu_seconds] for name in STAGES if name in found
    ]


if __name__ == "__main__":
    main()
