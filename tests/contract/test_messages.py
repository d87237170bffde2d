"""The words of recurring sentences are held here, once; other tests hold the names in them."""

import pytest

from contract.messages import known_names, nearest, no_such, no_such_column, unexpected


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    assert no_such_column("The source 'rows'", "x", ["id", "y"]) == (
        "The source 'rows' has no column 'x'; it has 'id', 'y'. Correct the name."
    )


def test_who_names_the_column_and_what_to_do_can_be_said() -> None:
    assert no_such_column("t.csv", "x", ["id"], named_by="features.drop", advice="Drop it.") == (
        "t.csv has no column 'x', which features.drop names; it has 'id'. Drop it."
    )


def test_a_column_that_is_nearly_right_is_offered() -> None:
    assert no_such_column("t.csv", "prize", ["id", "price"]).endswith("Did you mean 'price'?")


@pytest.mark.parametrize(("columns", "end"), [(0, "has none."), (20, "'c19'."), (21, "'c19' ….")])
def test_a_wide_table_is_shown_in_part(columns: int, end: str) -> None:
    sentence = no_such_column("t.csv", "x", [f"c{i}" for i in range(columns)], advice="Look.")

    assert sentence.endswith(f"{end} Look.")


@pytest.mark.parametrize(
    ("name", "end"),
    [("wnie", "in '/p'; did you mean 'wine'?"), ("zzz", "in '/p'; known are: flights, wine.")],
)
def test_a_name_that_is_not_known_is_answered_with_those_that_are(name: str, end: str) -> None:
    sentence = no_such("problem", name, ["flights", "wine"], where="in '/p'")

    assert sentence == f"There is no problem {name!r} {end}"


def test_nothing_known_is_said_as_such() -> None:
    assert known_names("x", []) == "known are: none."
    assert nearest("x", []) is None


def test_a_value_of_another_kind_is_answered_with_what_is_expected() -> None:
    assert unexpected(60, "a duration") == "found 60; a duration is expected"
    assert unexpected(60, "a share", example="15%") == (
        "found 60; a share is expected, such as 15%"
    )
