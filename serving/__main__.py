"""`python -m serving NAME --port P`: serve one problem until a signal stops it.

The environment is read here, and what libraries read at import is set before they are imported.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from contract.errors import PerennialError
from contract.log import configure, log
from contract.runtime.environment import NO_TELEMETRY
from contract.store.client import Store
from serving.settings import read_settings

LOOPBACK = "127.0.0.1"


def main(arguments: Sequence[str]) -> int:
    """Run the service and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    parser.add_argument("problem", metavar="NAME", help="the problem to serve")
    parser.add_argument("--port", type=int, required=True, help="where to listen; 0: a free port")
    parser.add_argument("--host", default=LOOPBACK, help="the address (default: this machine only)")
    options = parser.parse_args(arguments)
    configure()
    line = log("serving")
    metrics = Path(tempfile.mkdtemp(prefix="serving-metrics-"))
    try:
        settings = read_settings(options.problem, options.host, options.port, os.environ)
        store = Store.from_environment()
        prepare_environment(settings.folder, metrics)
        from serving.launch import serve  # noqa: PLC0415 - BentoML reads the environment at import

        return serve(settings, store)
    except PerennialError as error:
        line.error("service ended", problem=options.problem, exit=error.exit_code, why=str(error))
        return error.exit_code
    finally:
        shutil.rmtree(metrics, ignore_errors=True)


def prepare_environment(folder: Path, metrics: Path) -> None:
    """Set what libraries read: BentoML's folders and switches, one thread for arithmetic."""
    home = folder / "bentoml"
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "BENTOML_CONFIG": str(Path(__file__).with_name("bentoml.yaml")),
        **NO_TELEMETRY,
        "BENTOML_HOME": str(home),
        # Two services that share this folder destroy each other's metrics.
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        # Spinning OpenMP threads cost 23-117 ms a call beside a busy neighbour.
        "OMP_NUM_THREADS": "1",
        # The default pool keeps what it once had.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
