"""BentoML's own application without the fast path, as a process: `bare_service.py FOLDER`.

It listens on a free port, which it writes to FOLDER/port, and takes the model in FOLDER/bundle
once FOLDER/go is there.
"""

import os
import socket
import sys
import threading
import time
from pathlib import Path

import uvicorn

import bundle
from bundle import signing
from serving.__main__ import prepare_environment
from serving.served_model import ServedModel
from serving.service_state import ServiceState
from serving.settings import read_settings
from serving.spool import Spool


def main(folder: Path) -> None:
    """Serve until killed."""
    prepare_environment(folder, folder)
    from serving.application import build

    settings = read_settings("seam", "127.0.0.1", 0, os.environ)
    state = ServiceState("seam")
    predictions, labels = Spool(folder / "predictions"), Spool(folder / "feedback")
    predictions.start()
    service = build(settings, state, predictions, labels, lambda: "perennial_ready 1\n")

    def load() -> None:
        while not (folder / "go").exists():
            time.sleep(0.05)  # noqa: TID251 - a process that ends with its test
        keys = signing.public_keys(settings.verify_keys)
        model = bundle.load(folder / "bundle", keys=keys)
        state.swap(ServedModel(model), model.card.trained_at)

    threading.Thread(target=load, daemon=True).start()
    listening = socket.create_server(("127.0.0.1", 0))
    (folder / "port").write_text(str(listening.getsockname()[1]))
    config = uvicorn.Config(service.to_asgi(is_main=True), log_config=None, ws="none")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
