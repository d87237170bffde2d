"""A vault of known truth, and answers of a known strength to its rows."""

import numpy as np
import pyarrow as pa

from methods.models.bootstrap import Scored
from tasks.evaluation.vault import Vault

ROWS = 1000


def vault(rows: int = ROWS, blocks: int = 50) -> Vault:
    random = np.random.default_rng(0)
    truth = (random.random(rows) < 0.4).astype(np.float64)
    table = pa.table(
        {
            "origin": [
                ["oslo", "bergen", "rare"][min(2, i % 11)] if i % 11 < 3 else "oslo"
                for i in range(rows)
            ]
        }
    )
    return Vault(table, truth, np.arange(rows) * blocks // max(1, rows), truth)


def scored(strength: float, seed: int = 1, rows: int = ROWS) -> Scored:
    """A calibrated-looking answer whose log-odds are `strength` in the right direction, and noise."""
    truth = vault(rows).truth
    noise = np.random.default_rng(seed).normal(size=rows)
    return Scored(1.0 / (1.0 + np.exp(-(strength * (truth - 0.4) + noise))))


NOTHING = Scored(np.full(ROWS, 0.4))
BROKEN = Scored(np.full(ROWS, np.nan))
