"""What the tabs show."""

from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_a_stages_page_is_the_one_that_it_wrote(answers: Any) -> None:
    assert "336,776 departures" in answers["viewer"]["page"]["body"]


def test_a_page_behind_a_changed_manifest_is_not_shown(answers: Any) -> None:
    changed = answers["viewer"]["changed"]

    assert changed["status"] == 404
    assert "expected 111111111111" in changed["body"]
    assert "336,776" not in changed["body"]


def test_a_stage_that_made_nothing_says_so(answers: Any) -> None:
    absent = answers["viewer"]["absent"]

    assert absent["status"] == 404
    assert "It has not made anything yet." in absent["body"]


def test_the_report_lists_the_stages_with_facts_and_links(answers: Any) -> None:
    body = answers["viewer"]["report"]["body"]

    assert body.index("collection") < body.index("preprocessing") < body.index("tuning")
    assert "warnings 3" in body
    assert "../page/flights__lifecycle?run_id=manual__2013-10-01" in body


def test_the_report_writes_facts_by_their_kinds(answers: Any) -> None:
    body = answers["viewer"]["report"]["body"]

    assert "train 336,776 · vault from 2013-04-25 18:50 UTC" in body
    assert "1366915800000000" not in body.replace(",", "")


def test_the_problems_page_lists_what_is_scheduled_and_what_cannot_be_read(answers: Any) -> None:
    body = answers["viewer"]["problems"]["body"]

    assert "Will this departure be late?" in body
    assert "no model yet" in body
    assert "./report/flights__lifecycle?run_id=manual__2013-10-01" in body


def test_the_problems_page_says_why_the_newest_run_failed(answers: Any) -> None:
    body = answers["viewer"]["problems"]["body"]

    told = "flights: selection: exit 3, refused:"
    assert told in body
    assert body.index(told) < body.index("Will this departure be late?")


def test_the_first_screen_shows_the_others_beside_a_damaged_document(answers: Any) -> None:
    """The champion of one problem and the ledger of another cannot be read."""
    page = answers["viewer"]["problems"]

    assert page["status"] == 200
    assert "careful/champion.json cannot be read as Champion" in page["body"]
    assert "quiet/ledger/00000000.json cannot be read as LedgerEntry" in page["body"]
    for name in ("flights", "quiet", "careful"):
        assert f"./report/{name}__lifecycle" in page["body"] or f"Ledger of {name}" in page["body"]
    assert "not known" in page["body"]
    assert "It cannot be read." in page["body"]


def test_a_page_behind_a_damaged_manifest_is_one_sentence(answers: Any) -> None:
    damaged = answers["viewer"]["damaged"]

    assert damaged["status"] == 404
    assert "flights/runs/one/validation/manifest.json cannot be read as Manifest" in damaged["body"]


def test_the_ui_is_told_of_the_tabs_and_the_side_bar(answers: Any) -> None:
    plugins = answers["plugins"]["plugins"]
    views = [
        (view["name"], view["destination"])
        for plugin in plugins
        if plugin["name"] == "perennial"
        for view in plugin["external_views"]
    ]

    assert views == [("Problems", "nav"), ("Report", "dag_run"), ("Report", "task_instance")]


def test_the_problems_are_on_airflows_first_screen(answers: Any) -> None:
    (plugin,) = (one for one in answers["plugins"]["plugins"] if one["name"] == "perennial")
    (app,) = plugin["react_apps"]

    assert (app["destination"], app["bundle_url"]) == ("dashboard", "/perennial/home.js")
    assert f"globalThis.{app['name']} =" in answers["viewer"]["home"]["body"]
    assert answers["viewer"]["home"]["headers"]["content-type"].startswith("text/javascript")


def test_a_process_that_serves_no_page_does_not_load_the_application(answers: Any) -> None:
    assert answers["loaded_early"] is False


def test_the_problems_page_says_what_needs_a_person_and_what_to_run(answers: Any) -> None:
    body = answers["viewer"]["problems"]["body"]

    assert "flights, since 2013-05-01: No row came. What to run: perennial status flights" in body


def test_the_problems_page_has_the_newest_verdict_of_the_store(answers: Any) -> None:
    body = answers["viewer"]["problems"]["body"]

    assert "blocked data quality, 2013-05-02" in body
    assert "is empty in every row." in body
    assert "./day/flights__monitoring/2013-05-02" in body


def test_a_day_has_its_page(answers: Any) -> None:
    assert "The page of the day" in answers["viewer"]["day"]["body"]
    assert answers["viewer"]["no_day"]["status"] == 404
    assert "2014-01-01 has no decision" in answers["viewer"]["no_day"]["body"]
