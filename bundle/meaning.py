"""What a model's answer means, in one sentence for its caller."""

from bundle.documents import Contract
from contract.formatting import format_value


def answer_meaning(contract: Contract, threshold: float | None) -> str:
    """Say what the score estimates, and how it becomes a label.

    Args:
        contract: the model's own.
        threshold: of a binary model, as in its `model.json`; None of any other.
    """
    target = contract.output.name
    if contract.task == "multiclass":
        return (
            f"scores are the probabilities of the classes of {target}; the label is the likeliest."
        )
    if contract.positive is None or threshold is None:
        unit = f", in {contract.output.unit}" if contract.output.unit else ""
        return f"value is the estimate of {target}{unit}."
    positive = _word(contract.positive)
    other = next(_word(one) for one in contract.classes if one != contract.positive)
    return (
        f"score is the probability that {target} is {positive}; the label is {positive} from "
        f"{format_value(threshold)} on, else {other}."
    )


def _word(label: object) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)
