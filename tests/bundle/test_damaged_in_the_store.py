"""Every file of a bundle, damaged in the store in every way, through everyone who reads bundles.

Their answer is one sentence that names the key, and exit code 3; nothing is served but what was.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bundle_factory import Keys, Made, make_bundle, make_keys, upload
from watched_pointer import watch

import bundle
from bundle import BundleRefused, signing
from contract.canonical_json import canonical_json, sha256
from contract.champion import Champion
from contract.errors import NotFound, PerennialError, Refused
from contract.rollout.pointer import PointerTarget
from contract.rollout.target import RolloutFailed
from contract.service_protocol import InfoAnswer
from contract.serving_state import Rollout, ServiceAddress
from contract.store.client import Store
from contract.store.layout import ModelFileKey, champion_key, rollout_key, service_key
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.writer import Out
from perennial.model_rollback import RollbackRequest, roll_back
from serving.pointer_watcher import PointerWatcher
from serving.service_state import ServiceState
from tasks.deployment.admission import load_model
from tasks.evaluation.task import read_champion
from tasks.monitoring.evidence.champions import MonitoredModels

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROBLEM = "damaged-bundles"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
FILES = (
    "card.json",
    "contract.json",
    "encoder.json",
    "golden.json",
    "model.json",
    "profile.json",
    "members/linear.dense",
    "members/trees.tree",
    MANIFEST,
    SIGNATURE,
)
NOISE = bytes(byte * 167 % 256 for byte in range(512))


def damages(body: bytes, other: bytes) -> dict[str, bytes | None]:
    """Return what can become of a file; None: it is gone."""
    middle = len(body) // 2
    return {
        "no bytes": b"",
        "cut off": body[:middle],
        "an empty object": b"{}",
        "another file": other,
        "a newer version": _newer(body),
        "one byte changed": body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :],
        "noise": NOISE,
        "zeros": bytes(len(body)),
        "gone": None,
        "far too long": bytes(2 << 20),
    }


def _newer(body: bytes) -> bytes:
    """Return a document with a field that this version does not know; of other files, a longer one."""
    try:
        value = json.loads(body)
    except ValueError:
        return body + b"\0"
    return canonical_json(value | {"of_a_newer_version": 1})


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def models(store: Store, signed: Keys, tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    """Two models of one problem in the store."""
    made = [
        make_bundle(tmp_path_factory.mktemp(name), PROBLEM, signed, bias=bias)
        for name, bias in (("before", 0.5), ("damaged", 0.0))
    ]
    for one in made:
        upload(store, PROBLEM, one)
    return made


@pytest.fixture
def whole(models: list[Made]) -> Made:
    return models[1]


def key_of(made: Made, name: str) -> str:
    return str(ModelFileKey(PROBLEM, made.digest, name))


def each_damage(store: Store, made: Made, name: str) -> Iterator[tuple[str, bytes | None]]:
    """Put each damage of a file where the file was; at last, the file itself."""
    key, body = key_of(made, name), (made.folder / name).read_bytes()
    other = (made.folder / ("card.json" if name != "card.json" else "model.json")).read_bytes()
    for what, damaged in damages(body, other).items():
        if damaged is None:
            store.delete(key)
        else:
            store.put(key, damaged)
        yield what, damaged
    store.put(key, body)


def check_sentence(sentence: str, key: str, what: str) -> None:
    assert key in sentence, (what, sentence)
    assert "\n" not in sentence
    assert len(sentence) < 700, what


class Reading:
    """Everyone who reads a bundle from the store; each returns the sentence of what is refused."""

    def __init__(self, store: Store, keys: Keys, made: Made, scratch: Path) -> None:
        self._store, self._keys, self.made, self._scratch = store, keys, made, scratch

    def evaluation(self, folder: Path) -> str:
        champion = Champion(digest=self.made.digest, run="r", verdict=None, since=NOW, nonce="1")
        out = Out(self._store, f"{PROBLEM}/runs/r/evaluation", self._scratch / "out")
        baseline = read_champion(out, PROBLEM, champion, folder)
        assert baseline is not None
        assert baseline.model is None
        return baseline.why or ""

    def monitoring(self, folder: Path) -> str:
        return self._refusal(
            lambda: MonitoredModels(self._store, PROBLEM, folder).of(self.made.digest)
        )

    def deployment(self, folder: Path) -> str:
        with pytest.raises(RolloutFailed) as caught:
            load_model(self._store, PROBLEM, self.made.digest, self._public(), folder)
        return str(caught.value)

    def service(self, folder: Path) -> str:
        state = self._started(folder)
        assert state.served is None
        assert state.load_failure is not None
        assert state.load_failure["final"]
        return state.load_failure["why"]

    def _started(self, folder: Path) -> ServiceState:
        """Start a service of this model, which follows the pointer."""
        rollout = Rollout(digest=self.made.digest, nonce="1", at=NOW)
        self._store.put(rollout_key(PROBLEM), rollout.canonical())
        return watch(self._store, PROBLEM, self._keys, folder)[1]

    def _public(self) -> tuple[bytes, ...]:
        return signing.public_keys(self._keys.folder)

    def _refusal(self, read: Callable[[], object]) -> str:
        with pytest.raises(Refused) as caught:
            read()
        assert caught.value.exit_code == 3
        return str(caught.value)


@pytest.fixture
def reading(store: Store, signed: Keys, whole: Made, tmp_path: Path) -> Reading:
    return Reading(store, signed, whole, tmp_path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("reader", ["evaluation", "monitoring", "deployment", "service"])
def test_a_damaged_file_is_one_sentence(
    reading: Reading, store: Store, tmp_path: Path, reader: str, name: str
) -> None:
    key = key_of(reading.made, name)
    checks_signature = reader in {"deployment", "service"}
    for number, (what, damaged) in enumerate(each_damage(store, reading.made, name)):
        is_absent = name == MANIFEST and damaged is None  # no bundle, rather than a damaged one
        is_unread = name == SIGNATURE and not checks_signature and len(damaged or b"") <= 64
        if is_unread or (is_absent and reader != "evaluation"):
            continue
        sentence = getattr(reading, reader)(tmp_path / str(number))
        check_sentence(sentence, key, what)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_rollback_to_a_damaged_bundle_is_refused_and_the_model_before_serves(
    store: Store, signed: Keys, models: list[Made], tmp_path: Path, name: str
) -> None:
    before, damaged_one = models
    serve(store, before, damaged_one)
    watcher, state = watch(store, PROBLEM, signed, tmp_path)
    target = PointerTarget(store, PROBLEM, Following(watcher, state), poll_seconds=0.0)
    request = RollbackRequest(problem=PROBLEM, to=damaged_one.digest, reason="r", at=NOW)
    for what, damaged in each_damage(store, damaged_one, name):
        if name == MANIFEST and damaged is None:
            continue  # `roll_back` itself says that there is no such bundle

        with pytest.raises(Refused) as caught:
            roll_back(store, request, target, timeout_seconds=1e6)

        check_sentence(str(caught.value), key_of(damaged_one, name), what)
        assert target.rolled_out() == before.digest
        assert state.served is not None
        assert state.served.digest == before.digest


class Following:
    """The service at the end of a rollout: it polls, and says at /info what it has."""

    def __init__(self, watcher: PointerWatcher, state: ServiceState) -> None:
        self._watcher, self._state = watcher, state

    def __call__(self, _: str) -> InfoAnswer | None:
        self._watcher.poll()
        served = self._state.served
        return {
            "digest": served.digest if served else None,
            "ready": self._state.not_ready_reason() is None,
            "error": self._state.load_failure,
        }


def serve(store: Store, champion: Made, other: Made) -> None:
    """Have the problem's champion rolled out, beside another model in the ledger."""
    for key in [*store.keys(f"{PROBLEM}/ledger/")]:
        store.delete(key)
    for digest in (other.digest, champion.digest):
        entry = LedgerEntry(
            id=f"{digest}/deployed",
            kind="deployed",
            at=NOW,
            written=NOW,
            run="r",
            digest=digest,
            reason="Better.",
        )
        Ledger(store, PROBLEM).append(entry)
    document = Champion(digest=champion.digest, run="r", verdict=None, since=NOW, nonce="1")
    store.put(champion_key(PROBLEM), document.canonical())
    rollout = Rollout(digest=champion.digest, nonce="1", at=NOW)
    store.put(rollout_key(PROBLEM), rollout.canonical())
    address = ServiceAddress(url="http://127.0.0.1:1", pid=1, started=NOW)
    store.put(service_key(PROBLEM), address.canonical())


@pytest.mark.parametrize("name", [name for name in FILES if name not in {MANIFEST, SIGNATURE}])
def test_a_file_of_a_newer_version_in_a_signed_bundle_is_named_as_well(  # noqa: PLR0917 - what pytest gives
    store: Store, signed: Keys, whole: Made, problem_name: str, tmp_path: Path, name: str
) -> None:
    """The manifest lists it as it is, and is signed: a newer version wrote it, or a bug."""
    files = {path: (whole.folder / path).read_bytes() for path in FILES if path != SIGNATURE}
    cases = damages(files[name], b"")
    unreadable = ["no bytes", "cut off", "noise", "zeros"]
    # Any JSON is a profile to the bundle, which monitoring alone reads.
    for what in [*unreadable, "a newer version"] if name != "profile.json" else unreadable:
        content = cases[what] or b""
        manifest = json.loads(files[MANIFEST])
        manifest["files"][name] = {"bytes": len(content), "sha256": sha256(content)}
        body = canonical_json(manifest)
        digest = sha256(body)
        written = files | {name: content, MANIFEST: body}
        written[SIGNATURE] = signing.sign(signed.private, body)
        for path, data in written.items():
            store.put(str(ModelFileKey(problem_name, digest, path)), data)

        with pytest.raises(BundleRefused) as caught:
            bundle.read_model(store, problem_name, digest, tmp_path)

        check_sentence(str(caught.value), str(ModelFileKey(problem_name, digest, name)), what)
        assert caught.value.exit_code == 3
        assert not (tmp_path / digest).exists()


def test_a_signature_of_a_stranger_names_the_signature(
    store: Store, signed: Keys, whole: Made, tmp_path: Path
) -> None:
    manifest = (whole.folder / MANIFEST).read_bytes()
    key = key_of(whole, SIGNATURE)
    store.put(key, signing.sign(signing.new_key(), manifest))
    public = signing.public_keys(signed.folder)

    with pytest.raises(BundleRefused, match=f"^{key} is refused: none of 1 public keys made"):
        bundle.read_model(store, PROBLEM, whole.digest, tmp_path, public)

    store.put(key, (whole.folder / SIGNATURE).read_bytes())
    assert bundle.read_model(store, PROBLEM, whole.digest, tmp_path, public).digest == whole.digest


def test_a_bundle_that_is_not_there_is_no_damage(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        bundle.read_model(store, PROBLEM, "0" * 64, tmp_path)

    assert str(ModelFileKey(PROBLEM, "0" * 64, MANIFEST)) in str(caught.value)
    assert isinstance(caught.value, PerennialError)
