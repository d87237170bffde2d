"""Which model serves: a thread that follows the pointer and swaps one reference.

A model is fetched, its signature, every byte and its golden rows checked, before it is in service;
one that fails leaves the other in place, and /info and /readyz say why.
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
from contract.serving_state import Rollout, ServiceAddress
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_document
from contract.store.layout import rollout_key, service_key
from serving.served import Served
from serving.settings import Settings
from serving.standing import Fault, Standing

RETRY_SECONDS = 5.0  # after a failure that may pass: the store is away, an upload is under way
KEPT_BUNDLES = 3  # the one that serves, and two to return to without a download

_log = log("serving")


class Following:
    """The thread that keeps `standing.served` what the pointer says."""

    def __init__(self, settings: Settings, store: Store, standing: Standing, url: str) -> None:
        self._settings = settings
        self._store = store
        self._standing = standing
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)
        self._announced = False
        self._etag = ""
        self._wanted: str | None = settings.digest
        self._settled = False
        """True: nothing to do until the pointer moves."""

    def start(self) -> None:
        """Follow from now on."""
        self._thread.start()

    def close(self) -> None:
        """Follow no longer; a model that is being loaded is not waited for."""
        self._stop.set()

    def look(self) -> float:
        """Do what is due once and return after how many seconds to look again."""
        try:
            self._announce()
            if self._settings.source == "pointer":
                self._read_pointer()
            if not self._settled:
                self._take(self._wanted)
        except (TryAgain, NotFound) as error:
            # Not a fault of the model that serves; it goes on.
            if self._wanted is not None and not self._settled:
                self._standing.fault = Fault(digest=self._wanted, why=str(error), final=False)
            _log.warning("waiting for the store", why=str(error), seconds=RETRY_SECONDS)
            return max(RETRY_SECONDS, self._settings.poll_seconds)
        except PerennialError as error:
            self._refuse(str(error))
        return self._settings.poll_seconds

    def _run(self) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            try:
                wait = self.look()
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
        """Note what should serve; a HEAD that finds the same ETag ends here."""
        key = rollout_key(self._settings.problem)
        head = self._store.head(key)
        if head is None or head.etag == self._etag:
            return
        found = self._store.get_with_etag(key)
        if found is None:
            return
        body, etag = found
        try:
            wanted = parse_document(body, Rollout, key).digest
        except DamagedDocument as error:
            self._etag = etag
            self._refuse(str(error))
            return
        self._etag, self._wanted, self._settled = etag, wanted, False

    def _take(self, digest: str | None) -> None:
        standing = self._standing
        serving = standing.served.digest if standing.served else None
        if digest == serving:
            standing.fault = None
        elif digest is None:
            standing.take(None, datetime.now(UTC))
            _log.warning("no model serves any more", problem=standing.problem)
        else:
            served = Served(self._load(digest))
            # What is alive now lives long: it is taken out of every later collection, which cost
            # 160-230 ms with all of a service's objects in it.
            gc.collect()
            gc.freeze()
            standing.take(served, datetime.now(UTC))
            _log.info("model in service", problem=standing.problem, digest=digest)
            self._forget_bundles(digest)
        self._settled = True

    def _load(self, digest: str) -> bundle.Model:
        settings = self._settings
        folder = bundle.fetch(self._store, settings.problem, digest, settings.cache)
        os.utime(folder)
        keys = signing.public_keys(settings.verify_keys)
        return bundle.load(folder, digest=digest, keys=keys)

    def _refuse(self, why: str) -> None:
        """Keep the model that serves, and say why the other does not."""
        self._settled = True
        self._standing.fault = Fault(digest=self._wanted, why=why, final=True)
        self._standing.counters.failures += 1
        _log.error("model refused", digest=self._wanted, why=why)

    def _forget_bundles(self, digest: str) -> None:
        folders = [path for path in self._settings.cache.iterdir() if path.is_dir()]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for folder in folders[KEPT_BUNDLES:]:
            if folder.name != digest:
                shutil.rmtree(folder, ignore_errors=True)
