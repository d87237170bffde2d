"""What a stage's pod is given: the file's word, else what suits the stage."""

import pytest

from contract.errors import InvalidRequest
from contract.problem import Problem, read_problem_text

FILE = """\
apiVersion: perennial/v1
kind: Problem
name: small
question: Which?
target: { column: y }
source: { rows: { kind: files, path: /rows.csv } }
"""


def read(resources: str) -> Problem:
    return read_problem_text(f"{FILE}resources: {resources}\n", "p.yaml")


def test_a_stage_that_holds_whole_tables_has_more_memory() -> None:
    problem = read_problem_text(FILE, "p.yaml")

    assert problem.resources_of("tuning").memory == "4Gi"
    assert problem.resources_of("split").memory == "2Gi"


def test_what_the_file_leaves_out_is_what_suits_the_stage() -> None:
    found = read("{ tuning: { cpu: 2 } }").resources_of("tuning")

    assert (found.cpu, found.memory) == (2.0, "4Gi")


@pytest.mark.parametrize(
    ("resources", "sentence"),
    [
        ("{ tunning: { cpu: 2 } }", "tunning"),
        ("{ tuning: { cpu: 0 } }", "greater than 0"),
        ("{ tuning: { memory: 4G } }", "4G"),
    ],
)
def test_what_is_no_stage_or_amount_is_named(resources: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        read(resources)
