"""The serving model's bundle written anew: its members with other probabilities or another threshold."""

from pathlib import Path

from bundle import tensors
from bundle.documents import ModelDocument
from bundle.plans import EncoderDocument
from bundle.tensors import Tensors
from bundle.writer import write
from contract.formatting import format_digest
from contract.recipe import Answer
from methods.retrain.adjust import Adjustment, composed
from tasks.training.challenger import TrainingCase, WrittenBundle
from tasks.training.hold_out import HoldOut
from tasks.training.serving_model import ChampionInTraining

_WORDS: dict[Answer, str] = {"threshold": "with a new threshold", "recalibration": "recalibrated"}


def write_adjusted(  # noqa: PLR0917 - what a bundle holds
    case: TrainingCase,
    serving: ChampionInTraining,
    answer: Answer,
    adjustment: Adjustment,
    hold_out: HoldOut,
    name: str,
) -> WrittenBundle:
    """Write the serving model's bundle anew with the adjustment."""
    model = serving.model
    document = adjusted_document(model.document, adjustment)
    card = model.card.model_copy(
        update={
            "run": case.run.run_id,
            "trained_at": case.run.window_end,
            "family": f"{model.card.family}, {_WORDS[answer]}",
            "metrics": hold_out.metrics,
            "limits": (
                (
                    f"Its members are those of the model {format_digest(model.digest)}, fitted on "
                    f"{model.card.rows} rows; what is new was fitted on rows known by "
                    f"{case.run.window_end:%Y-%m-%d}."
                ),
                f"Its metrics are of {len(hold_out.truth)} rows that were scored before they were learnt.",
                "Unseen categories count as `other`; unusable values count as missing.",
            ),
        }
    )
    folder = case.folder / name
    digest = write(
        folder,
        model=document,
        encoder=EncoderDocument(columns=model.encoder.plans),
        members=_members(serving.folder, document),
        contract=model.contract,
        golden_rows=[golden.row for golden in model.golden.rows],
        profile=hold_out.profile,
        card=card,
        signing_key=case.signing_key,
    )
    return WrittenBundle(folder, digest, card)


def adjusted_document(document: ModelDocument, adjustment: Adjustment) -> ModelDocument:
    """Return the members and how they combine, with the adjustment on top."""
    members = tuple(
        entry.model_copy(update={"shift": entry.shift + adjustment.shift})
        for entry in document.members
    )
    threshold = document.threshold if adjustment.threshold is None else adjustment.threshold
    return document.model_copy(
        update={
            "members": members,
            "calibration": composed(document.calibration, adjustment.maps),
            "threshold": threshold,
        }
    )


def _members(folder: Path, document: ModelDocument) -> dict[str, Tensors]:
    """Read the members of a bundle that was verified."""
    return {
        entry.file: tensors.unpack(
            (folder / entry.file).read_bytes(),
            "tree" if entry.file.endswith(".tree") else "dense",
            entry.file,
        )
        for entry in document.members
    }
