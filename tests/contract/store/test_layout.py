"""The one module that makes and parses keys: both ways agree, and nobody else writes one."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidRequest
from contract.store.key import FAMILIES, Key, Retention
from contract.store.layout import (
    ChampionKey,
    DayLinesKey,
    DaySampleKey,
    DecisionKey,
    FeedbackKey,
    LabelIndexKey,
    LabelPartKey,
    LandedPartKey,
    LedgerKey,
    LogIndexKey,
    ManifestKey,
    ModelFileKey,
    OutputKey,
    PredictionsKey,
    SourceHeadKey,
    bundle_prefix,
    parse_bundle_prefix,
    parse_key,
    parse_keys,
    parse_stage_prefix,
    run_prefix,
    stage_prefix,
)

ROOT = Path(__file__).parents[3]
ROOMS = (
    *("bundle", "contract", "dags", "demo", "methods", "pages", "perennial"),
    *("plugins", "rehearsal", "serving", "tasks", "benchmarks"),
)
A = "a" * 64

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=12)
PARTS = {
    "digest": st.text("0123456789abcdef", min_size=64, max_size=64),
    "prefix_of_digest": st.text("0123456789abcdef", min_size=16, max_size=16),
    "number": st.integers(0, 10**9),
    "day": st.dates(date(1970, 1, 1)),
    "hour": st.sampled_from([f"{hour:02d}" for hour in range(24)]),
    "file": WORD.filter(lambda name: name != "manifest.json"),
}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
@given(data=st.data())
def test_a_key_is_parsed_as_what_it_was_made_from(family: type[Key], data: st.DataObject) -> None:
    names = list(family.__annotations__)
    key = family(**{name: data.draw(PARTS.get(name, WORD)) for name in names})

    assert parse_key(str(key)) == key


def test_a_prefix_whose_parts_are_all_known_is_the_key() -> None:
    key = OutputKey("p", "r", "split", "page-1.html")

    assert OutputKey.prefix("p", run="r", stage="split", file="page-1.html") == str(key)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (ChampionKey("p"), "p/champion.json"),
        (SourceHeadKey("p", "rows"), "p/raw/rows/HEAD.json"),
        (LandedPartKey("p", "rows", "r", A), f"p/raw/rows/runs/r/{A}.parquet"),
        (ManifestKey("p", "r", "split"), "p/runs/r/split/manifest.json"),
        (OutputKey("p", "r", "split", "page-1.html"), "p/runs/r/split/page-1.html"),
        (ModelFileKey("p", A, "members/x.tree"), f"p/models/sha256/{A}/members/x.tree"),
        (LedgerKey("p", 12), "p/ledger/00000012.json"),
        (
            PredictionsKey("p", date(2026, 1, 2), "03", "pod-1"),
            "p/predictions/dt=2026-01-02/hour=03/pod-1.parquet",
        ),
        (FeedbackKey("p", date(2026, 1, 2), "pod-1"), "p/feedback/dt=2026-01-02/pod-1.parquet"),
        (DecisionKey("p", date(2026, 1, 2)), "p/monitoring/2026-01-02/decision.json"),
        (LogIndexKey("p"), "p/monitoring/log-index.json"),
        (LabelIndexKey("p"), "p/monitoring/label-index.json"),
        (LabelPartKey("p", A), f"p/monitoring/labels/{A}.parquet"),
        (
            DayLinesKey("p", date(2026, 1, 2), A[:16], 3),
            f"p/monitoring/2026-01-02/lines-{A[:16]}-00000003.parquet",
        ),
        (
            DaySampleKey("p", date(2026, 1, 2), A[:16]),
            f"p/monitoring/2026-01-02/sample-{A[:16]}.parquet",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_stored_names_stay(key: Key, text: str) -> None:
    """What is in people's stores was written under these names."""
    assert str(key) == text


@pytest.mark.parametrize(
    "text",
    [
        "p/shadow/x.parquet",
        "p/monitoring/2026-02-31/decision.json",
        "p/raw/rows/runs/r/part.parquet",
        f"p/models/sha256/{A.upper()}/model.json",
        "p/ledger/1.json",
        "champion.json",
    ],
)
def test_what_no_family_has_is_none(text: str) -> None:
    assert parse_key(text) is None


def test_a_prefix_ends_at_the_first_part_that_is_not_known() -> None:
    assert LedgerKey.prefix("p") == "p/ledger/"
    assert DecisionKey.prefix("p") == "p/monitoring/"
    assert PredictionsKey.prefix("p", day=date(2026, 1, 2)) == "p/predictions/dt=2026-01-02/hour="
    assert ModelFileKey.prefix("p", digest=A) == f"p/models/sha256/{A}/"
    assert run_prefix("p", "r") == "p/runs/r"
    assert stage_prefix("p", "r", "split") == "p/runs/r/split"


def test_a_key_takes_each_part_once() -> None:
    for parts, named in (((), {}), (("p", "r", "split", "more"), {}), (("p",), {"problem": "p"})):
        with pytest.raises(TypeError, match="takes problem, run, stage, each once"):
            ManifestKey(*parts, **named)


def test_equal_keys_are_one_in_a_set_and_say_their_family() -> None:
    keys = {ChampionKey("p"), ChampionKey("p"), ManifestKey("p", "r", "split")}

    assert len(keys) == 2
    assert repr(ChampionKey("p")) == "<ChampionKey p/champion.json>"


def test_keys_of_one_family_are_picked_out() -> None:
    day = date(2026, 1, 2)
    texts = ["p/monitoring/2026-01-02/page.html", str(DecisionKey("p", day)), "p/x"]

    assert list(parse_keys(texts, DecisionKey)) == [DecisionKey("p", day)]


def test_a_stage_writes_under_its_own_prefix_and_nowhere_else() -> None:
    assert parse_stage_prefix("p/runs/r/split/") == ManifestKey("p", "r", "split")
    for prefix in ("p", "p/runs/r", "p/raw/r/split", "p/runs/r/split/more"):
        with pytest.raises(InvalidRequest, match="PROBLEM/runs/RUN/STAGE is expected"):
            parse_stage_prefix(prefix)


def test_a_bundle_is_known_by_its_prefix() -> None:
    assert parse_bundle_prefix(bundle_prefix("p", A)) == ModelFileKey("p", A, "manifest.json")
    assert parse_bundle_prefix(f"{bundle_prefix('p', A)}/members/x.tree") is None
    assert parse_bundle_prefix("p/runs/r/split/page-1.html") is None


def test_a_family_cannot_be_declared_without_its_retention() -> None:
    with pytest.raises(TypeError, match="retention"):
        type("ShadowKey", (Key,), {}, template="{problem}/shadow/{file}")
    assert all(isinstance(family.retention, Retention) for family in FAMILIES)


# A key by hand: a part of the layout behind a value and a slash, or at the start of a suffix.
_WORDS = r"(raw|runs|models|champion\.json|rollout\.json|service\.json|ledger|predictions|feedback|monitoring)"
_BY_HAND = re.compile(
    rf"(\}}/{_WORDS}(/|$|\}}))|(/(HEAD|decision)\.json)|(models/sha256)|(/manifest\.json)"
)
# Airflow's own pages, and folders on a disk.
_NO_KEYS = {"{}/dags/{}/runs/{}/plugin/report"}


def _templates(path: Path) -> Iterator[str]:
    """Yield every text of a module that is no docstring, with {} for each value in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    passed_over = docstrings | inside
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in passed_over
        ):
            yield node.value


def test_no_key_is_written_by_hand() -> None:
    found = [
        (str(path.relative_to(ROOT)), text)
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if path != ROOT / "contract" / "store" / "layout.py"
        for text in _templates(path)
        if _BY_HAND.search(text) and text not in _NO_KEYS
    ]

    assert found == []


def test_the_search_finds_a_key_by_hand(tmp_path: Path) -> None:
    module = tmp_path / "by_hand.py"
    module.write_text(
        'def key(problem, run):\n    """Of {problem}/runs/…"""\n'
        '    return f"{problem}/runs/{run}/split"\n'
    )

    (text,) = _templates(module)

    assert _BY_HAND.search(text)


_PARSERS = {"loads", "model_validate", "model_validate_json"}
_READS = {"get", "get_with_etag", "read"}


def test_no_document_of_the_store_is_parsed_where_it_is_read() -> None:
    """`contract.store.documents` reads them: elsewhere damage would be a traceback."""
    found = []
    for room in (room for room in ROOMS if room != "benchmarks"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                reads = [
                    ast.unparse(inner)
                    for argument in node.args
                    for inner in ast.walk(argument)
                    if isinstance(inner, ast.Call)
                    and isinstance(inner.func, ast.Attribute)
                    and inner.func.attr in _READS
                    and "store" in ast.unparse(inner.func.value)
                ]
                if node.func.attr in _PARSERS and reads:
                    found.append((str(path.relative_to(ROOT)), node.lineno, reads))

    assert found == []
