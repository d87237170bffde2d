"""Where everything of a problem lies in the store: the one module that makes and parses keys.

PROBLEM/champion.json                        who serves; moved by compare-and-swap
PROBLEM/rollout.json, service.json           what one machine's service should take; where it listens
PROBLEM/raw/SOURCE/HEAD.json                 what is committed of a source
PROBLEM/raw/SOURCE/runs/RUN/SHA256.parquet   landed rows, unknown until HEAD.json names them
PROBLEM/runs/RUN/STAGE/…                     a run's artifacts, a manifest for each stage
PROBLEM/models/sha256/DIGEST/…               model bundles
PROBLEM/ledger/NNNNNNNN.json                 what was done and why
PROBLEM/predictions/dt=…/hour=…/….parquet    the prediction log
PROBLEM/feedback/dt=…/….parquet              labels that clients sent
PROBLEM/monitoring/YYYY-MM-DD/…              day profile, decision, page
"""


def champion_key(problem: str) -> str:
    """Return the key of `contract.champion.Champion`."""
    return f"{problem}/champion.json"


def rollout_key(problem: str) -> str:
    """Return the key of `contract.serving_state.Rollout`."""
    return f"{problem}/rollout.json"


def service_key(problem: str) -> str:
    """Return the key of `contract.serving_state.ServiceAddress`."""
    return f"{problem}/service.json"
