"""The model artifact: its format, its one reader and its writer; no code, no pickle in it."""

from bundle.documents import (
    BundleManifest,
    Calibration,
    Card,
    Column,
    Contract,
    Golden,
    Isotonic,
    Label,
    MemberEntry,
    ModelDocument,
    Platt,
    ScoreOutput,
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
from bundle.refusal import BundleRefused
from bundle.remote import fetch, read_model
from bundle.scorer import Scorer
from bundle.tensors import Tensors
from bundle.writer import write

__all__ = [
    "BundleManifest",
    "BundleRefused",
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
    "MemberEntry",
    "Model",
    "ModelDocument",
    "NumberPlan",
    "Plan",
    "Platt",
    "Row",
    "ScoreOutput",
    "Scorer",
    "Tensors",
    "TextPlan",
    "Trees",
    "expand",
    "fetch",
    "load",
    "read_member",
    "read_model",
    "write",
]
