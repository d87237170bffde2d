"""Which kernel a process uses, and what it says of it."""

import logging
import sys
from collections.abc import Iterator

import pytest

from bundle import kernel, twin
from contract.errors import InvalidRequest


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    kernel.pick.cache_clear()
    yield
    kernel.pick.cache_clear()


def test_the_variable_forces_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_KERNEL", "numpy")

    assert kernel.pick() is twin


def test_another_word_is_an_invalid_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_KERNEL", "rust")

    with pytest.raises(InvalidRequest, match="'rust', expected 'c' or 'numpy'"):
        kernel.pick()


def test_without_the_extension_numpy_is_used_with_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("PERENNIAL_KERNEL", raising=False)
    monkeypatch.setitem(sys.modules, "bundle._flatforest", None)

    with caplog.at_level(logging.WARNING):
        found = [kernel.pick(), kernel.pick()]

    assert found == [twin, twin]
    assert [record.getMessage() for record in caplog.records] == [
        "no C kernel: numpy gives the same scores at 20 times the cost, over 100 for one row"
    ]


def test_asking_for_a_missing_extension_is_an_invalid_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERENNIAL_KERNEL", "c")
    monkeypatch.setitem(sys.modules, "bundle._flatforest", None)

    with pytest.raises(InvalidRequest, match="was not built"):
        kernel.pick()
