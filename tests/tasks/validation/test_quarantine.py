"""Bad rows are set aside with every reason, exactly, and only under the budget."""

from collections.abc import Callable
from typing import Any

import pytest

from contract.errors import InvalidRequest, Refused

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",  # Great Expectations 1.24 uses what Python 3.11 deprecates
    "ignore::ResourceWarning",  # and leaves connections to the collector
)

ROWS = "SELECT i AS id, i AS value, 'w' || i AS word, i % 10 AS small FROM range(1000) t(i)"


def expect(kind: str, severity: str = "critical", **given: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": given, "severity": severity}


def test_an_empty_suite_imports_no_great_expectations(validated: Callable[..., Any]) -> None:
    import subprocess
    import sys

    code = (
        "import sys; import tasks.validation.task; from pathlib import Path;"
        "from tasks.validation.expectations import check_suite;"
        "check_suite([], 'events', Path('none'), Path('none'));"
        "sys.exit('great_expectations' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert tuple(validated(ROWS).reasons) == ()


@pytest.mark.slow
def test_rows_are_set_aside_with_every_reason(validated: Callable[..., Any]) -> None:
    """All of them, although the engine lists only 20 of each expectation."""
    found = validated(
        ROWS,
        expectations=(
            expect("column_values_to_be_between", column="value", max_value=949),
            expect("column_values_to_match_regex", column="word", regex="^w[0-8]"),
            expect("column_values_to_be_in_set", column="small", value_set=list(range(10))),
        ),
        budget=0.5,
    )

    reasons = {row["id"]: row["perennial_reason"] for row in found.quarantine}
    assert set(range(900, 1000)) | set(range(90, 100)) | {9} == set(reasons)
    assert (
        reasons[999]
        == "value: values to be between (max_value=949); word: values to match regex (regex=^w[0-8])"
    )
    assert len(found.clean) == 889


def test_a_bad_share_above_the_budget_is_refused(validated: Callable[..., Any]) -> None:
    suite = (expect("column_values_to_be_between", column="value", max_value=979),)

    with pytest.raises(Refused, match=r"20 of 1000 rows .*\(2.00%\).* 1.00% are allowed: value"):
        validated(ROWS, expectations=suite)


def test_a_critical_check_of_the_table_is_refused(validated: Callable[..., Any]) -> None:
    suite = (expect("table_row_count_to_be_between", min_value=5_000),)

    with pytest.raises(Refused, match=r"fails 1 critical check: .*1000 was observed"):
        validated(ROWS, expectations=suite)


def test_a_warning_lets_the_run_pass_and_is_shown(validated: Callable[..., Any]) -> None:
    suite = (
        expect("column_values_to_be_between", "warning", column="value", max_value=0),
        expect("column_mean_to_be_between", "info", column="value", max_value=0),
    )

    found = validated(ROWS, expectations=suite)

    checks = [(c.severity, c.success) for c in found.report.checks if "value" in c.name]
    assert checks == [("warning", False), ("info", False)]
    assert len(found.clean) == 1000


def test_mostly_is_kept(validated: Callable[..., Any]) -> None:
    suite = (expect("column_values_to_be_between", column="value", max_value=949, mostly=0.9),)

    assert len(validated(ROWS, expectations=suite).clean) == 1000


def test_compound_columns_that_repeat_are_set_aside(validated: Callable[..., Any]) -> None:
    rows = f"{ROWS} UNION ALL SELECT 1000, 7, 'w7', 7"
    suite = (expect("compound_columns_to_be_unique", column_list=["value", "word"]),)

    found = validated(rows, expectations=suite)

    assert sorted(row["id"] for row in found.quarantine) == [7, 1000]


def test_quantiles_are_judged(validated: Callable[..., Any]) -> None:
    """Its answer was a numpy.bool, on which the engine's own JSON broke."""
    ranges = {"quantiles": [0.5], "value_ranges": [[400, 600]]}
    suite = (
        expect("column_quantile_values_to_be_between", column="value", quantile_ranges=ranges),
    )

    assert validated(ROWS, expectations=suite).report.checks[-1].success is True


def test_an_expectation_that_cannot_be_judged_refuses(validated: Callable[..., Any]) -> None:
    suite = (expect("column_values_to_be_of_type", column="value", type_="BIGINT"),)

    with pytest.raises(Refused, match="cannot be judged"):
        validated(ROWS, expectations=suite)


@pytest.mark.parametrize(
    ("expectation", "said"),
    [
        (expect("nonsense"), "'expect_nonsense', is not valid"),
        (expect("column_values_to_not_be_null", colum="value"), "field required"),
        (expect("column_values_to_not_be_null", column="valeu"), "'valeu', which the expectation"),
    ],
)
def test_a_wrong_expectation_is_an_invalid_request(
    validated: Callable[..., Any], expectation: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        validated(ROWS, expectations=(expectation,))


def test_declared_ranges_set_rows_aside(validated: Callable[..., Any]) -> None:
    found = validated(ROWS, ranges={"value": (0, 994)})

    assert [row["id"] for row in found.quarantine] == [995, 996, 997, 998, 999]
    assert {"value is outside 0 to 994"} == {row["perennial_reason"] for row in found.quarantine}


def test_rows_without_key_or_time_are_set_aside(validated: Callable[..., Any]) -> None:
    rows = (
        "SELECT if(i = 3, NULL, i) AS id, if(i = 4, NULL, DATE '2026-01-01') AS at "
        "FROM range(1000) t(i)"
    )

    found = validated(rows, event_time="at")

    assert sorted(row["perennial_reason"] for row in found.quarantine) == [
        "event_time at is missing",
        "key id is missing",
    ]
