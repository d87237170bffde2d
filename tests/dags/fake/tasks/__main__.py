"""Stands in for the stages at the edge: does what `plan.json` says, and writes down how it was asked.

A stage that the plan does not name ends well. The plan's words: `exit`, `result` (JSON) or `bytes`
(that many of them), `say` (last line), `signal` (to itself), `grandchild` (one that stays, and
holds the pipe) and `wait` (seconds).
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

here = Path(__file__).parent.parent
stage, out = sys.argv[1], sys.argv[sys.argv.index("--out") + 1]
step = json.loads((here / "plan.json").read_text()).get(stage, {})
with (here / "asked.jsonl").open("a") as asked:
    line = {"stage": stage, "arguments": sys.argv[1:], "environment": dict(os.environ)}
    asked.write(json.dumps(line) + "\n")
if step.get("grandchild"):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (here / f"{stage}.pid").write_text(str(child.pid))
sys.stdout.write(step.get("say", '{"level": "info", "message": "task done"}') + "\n")
sys.stdout.flush()
if "signal" in step:
    os.kill(os.getpid(), step["signal"])
time.sleep(step.get("wait", 0))  # noqa: TID251 - a stage that takes its time
result = {"manifest": f"{out}/manifest.json", "sha256": "0" * 64, "outcome": "made", "facts": {}}
written = json.dumps(result | step.get("result", {})) if step.get("exit", 0) == 0 else ""
if step.get("exit", 0) != 0 and "result" in step:
    written = json.dumps(step["result"])
if "bytes" in step:
    written = "x" * step["bytes"]
if written:
    Path(os.environ["STAGE_RESULT"]).write_text(written)
sys.exit(step.get("exit", 0))
