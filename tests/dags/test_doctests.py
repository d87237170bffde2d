"""The examples in docstrings; the folder of the DAGs itself is no place of tests."""

import doctest
from types import ModuleType

import pytest

from dags.stage import log_lines
from dags.stage import request as asking


@pytest.mark.parametrize("module", [asking, log_lines])
def test_the_examples_hold(module: ModuleType) -> None:
    found = doctest.testmod(module)

    assert found.attempted > 0
    assert found.failed == 0
