"""The model artifact: its format, its one reader and its writer; no code, no pickle in it."""

from bundle.documents import (
    Calibration,
    Card,
    Column,
    Contract,
    Golden,
    Isotonic,
    Label,
    Manifest,
    MemberEntry,
    ModelDocument,
    Output,
    Platt,
)
from bundle.encoder import Encoder, Row
from bundle.members import Dense, DenseSpec, Trees, expand, read_member
from bundle.model import Model
from bundle.plans import (
    CategoryPlan,
    DatePlan,
    EncoderDocument,
    EqualsPlan,
    LookupPlan,
    NumberPlan,
    Plan,
    TextPlan,
)
from bundle.reader import load
from bundle.refusal import Refused
from bundle.remote import fetch
from bundle.scorer import Scorer
from bundle.tensors import Tensors
from bundle.writer import write

__all__ = [
    "Calibration",
    "Card",
    "CategoryPlan",
    "Column",
    "Contract",
    "DatePlan",
    "Dense",
    "DenseSpec",
    "Encoder",
    "EncoderDocument",
    "EqualsPlan",
    "Golden",
    "Isotonic",
    "Label",
    "LookupPlan",
    "Manifest",
    "MemberEntry",
    "Model",
    "ModelDocument",
    "NumberPlan",
    "Output",
    "Plan",
    "Platt",
    "Refused",
    "Row",
    "Scorer",
    "Tensors",
    "TextPlan",
    "Trees",
    "expand",
    "fetch",
    "load",
    "read_member",
    "write",
]
