"""The shared vocabulary: problem, task, manifest, artifacts, errors, store, ledger, log.

It imports light libraries only, and nothing at import but them: no clients, no environment.
"""

from contract.artifacts import Artifact, Blob, Bundle, Document, Page, Table
from contract.errors import AskedWrongly, Conflict, NotFound, PerennialError, Refused, TryAgain
from contract.run import Champion, Run
from contract.runtime.task import Task
from contract.store.client import Store
from contract.store.ledger import Ledger, LedgerEntry
from contract.store.writer import Out
from contract.strict import Strict

__all__ = [
    "Artifact",
    "AskedWrongly",
    "Blob",
    "Bundle",
    "Champion",
    "Conflict",
    "Document",
    "Ledger",
    "LedgerEntry",
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
