"""Airflow protects no plugin by itself: who may read what."""

from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROUTES = ("problems", "home", "report", "page", "day", "changed", "failed", "absent")


@pytest.mark.parametrize("route", ROUTES)
def test_nothing_is_read_without_a_login(answers: Any, route: str) -> None:
    assert answers["nobody logged in"][route]["status"] == 401


@pytest.mark.parametrize("route", ROUTES)
def test_a_user_without_a_role_is_refused(answers: Any, route: str) -> None:
    assert answers["no role"][route]["status"] == 403


@pytest.mark.parametrize("role", ["viewer", "admin"])
@pytest.mark.parametrize("route", ["problems", "report", "page", "day"])
def test_a_reader_of_the_dag_reads_its_pages(answers: Any, role: str, route: str) -> None:
    assert answers[role][route]["status"] == 200


@pytest.mark.parametrize("route", ["docs", "openapi"])
def test_the_application_describes_itself_to_nobody(answers: Any, route: str) -> None:
    assert answers["admin"][route]["status"] == 404


def test_a_stages_page_is_sandboxed_without_the_readers_origin(answers: Any) -> None:
    policy = answers["viewer"]["page"]["headers"]["content-security-policy"]

    assert policy.startswith("sandbox allow-scripts; default-src 'none';")
    assert "allow-same-origin" not in policy


@pytest.mark.parametrize("route", ["problems", "report", "failed", "absent"])
def test_our_own_pages_may_hold_no_script(answers: Any, route: str) -> None:
    policy = answers["viewer"][route]["headers"]["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_a_sentence_from_a_stage_is_escaped(answers: Any) -> None:
    body = answers["viewer"]["failed"]["body"]

    assert "&lt;b&gt;one class&lt;/b&gt; only; two are needed." in body
    assert "<b>one class" not in body
