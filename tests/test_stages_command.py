import pytest

from contract.errors import InvalidRequest
from contract.stages import STAGES
from tasks.__main__ import find


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_found_by_its_name(stage: str) -> None:
    assert find(stage).name == stage


def test_a_misspelt_stage_is_answered_with_did_you_mean() -> None:
    with pytest.raises(InvalidRequest, match="did you mean 'split'"):
        find("splt")


def test_an_unlike_word_is_answered_with_the_stages() -> None:
    with pytest.raises(InvalidRequest, match="Stages: problem, collection"):
        find("xyz")
