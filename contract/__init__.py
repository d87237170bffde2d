"""The shared vocabulary: problem, task, manifest, artifacts, errors, store, ledger, log.

It imports light libraries only, and nothing at import but them: no clients, no environment.
"""

from contract.artifacts import Artifact, Blob, Bundle, Document, Page, Table
from contract.errors import AskedWrongly, Conflict, NotFound, PerennialError, Refused, TryAgain
from contract.ledger import Entry, Ledger
from contract.out import Out
from contract.run import Champion, Run
from contract.store import Store
from contract.strict import Strict
from contract.task import Task

__all__ = [
    "Artifact",
    "AskedWrongly",
    "Blob",
    "Bundle",
    "Champion",
    "Conflict",
    "Document",
    "Entry",
    "Ledger",
    "NotFound",
    "Out",
    "Page",
    "PerennialError",
    "Refused",
    "Run",
    "Store",
    "Strict",
    "Table",
    "Task",
    "TryAgain",
]
