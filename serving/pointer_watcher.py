"""The thread that watches the rollout pointer, loads the model it names and swaps one reference.

A model is fetched, and its signature, every byte and its golden rows are checked, before it serves;
where one fails, the one before goes on serving, and /info and /readyz say why.
"""

import gc
import os
import shutil
import threading
from datetime import UTC, datetime

import bundle
from bundle import signing
from contract.errors import NotFound, PerennialError, TryAgain
from contract.log import log
from contract.service_protocol import LoadFailure
from contract.serving_state import Rollout, ServiceAddress
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_document
from contract.store.layout import rollout_key, service_key
from serving.served_model import ServedModel
from serving.service_state import ServiceState
from serving.settings import Settings

RETRY_SECONDS = 5.0  # after a failure that may pass: no store, an upload not finished yet
KEPT_BUNDLES = 3  # the one that serves, and two to return to without a download

_log = log("serving")


class PointerWatcher:
    """Keeps `state.served` the model that the pointer names."""

    def __init__(self, settings: Settings, store: Store, state: ServiceState, url: str) -> None:
        self._settings = settings
        self._store = store
        self._state = state
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pointer-watcher", daemon=True)
        self._announced = False
        self._etag = ""
        self._wanted: str | None = settings.digest
        self._is_settled = False
        """True: nothing to do until the pointer moves."""

    def start(self) -> None:
        """Watch from now on."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching; a model that is being loaded is not waited for."""
        self._stop.set()

    def poll(self) -> float:
        """Read the pointer and load what it names; return the seconds until the next poll."""
        try:
            self._announce()
            if self._settings.source == "pointer":
                self._read_pointer()
            if not self._is_settled:
                self._serve(self._wanted)
        except (TryAgain, NotFound) as error:
            # The model that serves is not affected.
            if self._wanted is not None and not self._is_settled:
                failure = LoadFailure(digest=self._wanted, why=str(error), final=False)
                self._state.load_failure = failure
            _log.warning("waiting for the store", why=str(error), seconds=RETRY_SECONDS)
            return max(RETRY_SECONDS, self._settings.poll_seconds)
        except PerennialError as error:
            self._refuse(str(error))
        return self._settings.poll_seconds

    def _run(self) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            try:
                wait = self.poll()
            except Exception as error:  # noqa: BLE001 - the service outlives a bug in one model
                _log.bug("a model could not be loaded", digest=self._wanted)
                self._refuse(f"loading it failed with {type(error).__name__}; see the log.")
                wait = RETRY_SECONDS

    def _announce(self) -> None:
        if self._announced:
            return
        address = ServiceAddress(url=self._url, pid=os.getpid(), started=datetime.now(UTC))
        self._store.put(
            service_key(self._settings.problem), address.canonical(), "application/json"
        )
        self._announced = True

    def _read_pointer(self) -> None:
        """Read what should serve; nothing is done where a HEAD finds the same ETag."""
        key = rollout_key(self._settings.problem)
        head = self._store.head(key)
        if head is None or head.etag == self._etag:
            return
        document = self._store.get_with_etag(key)
        if document is None:
            return
        body, etag = document
        try:
            wanted = parse_document(body, Rollout, key).digest
        except DamagedDocument as error:
            self._etag = etag
            self._refuse(str(error))
            return
        self._etag, self._wanted, self._is_settled = etag, wanted, False

    def _serve(self, digest: str | None) -> None:
        """Serve with the model of this digest; None: with none."""
        state = self._state
        current = state.served.digest if state.served else None
        if digest == current:
            state.load_failure = None
        elif digest is None:
            state.swap(None, datetime.now(UTC))
            _log.warning("no model serves any more", problem=state.problem)
        else:
            served = ServedModel(self._load(digest))
            # What is alive now lives long: it is left out of every later garbage collection, which
            # took 160-230 ms with all objects of a service in it.
            gc.collect()
            gc.freeze()
            state.swap(served, datetime.now(UTC))
            _log.info("model in service", problem=state.problem, digest=digest)
            self._delete_old_bundles(digest)
        self._is_settled = True

    def _load(self, digest: str) -> bundle.Model:
        settings = self._settings
        keys = signing.public_keys(settings.verify_keys)
        model = bundle.read_model(self._store, settings.problem, digest, settings.cache, keys)
        os.utime(settings.cache / digest)
        return model

    def _refuse(self, why: str) -> None:
        """Keep the model that serves, and record why the other one does not."""
        self._is_settled = True
        self._state.load_failure = LoadFailure(digest=self._wanted, why=why, final=True)
        self._state.counters.failures += 1
        _log.error("model refused", digest=self._wanted, why=why)

    def _delete_old_bundles(self, digest: str) -> None:
        folders = [path for path in self._settings.cache.iterdir() if path.is_dir()]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for folder in folders[KEPT_BUNDLES:]:
            if folder.name != digest:
                shutil.rmtree(folder, ignore_errors=True)
