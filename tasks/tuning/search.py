"""Search settings around the best families within a CPU-time budget, never on the vault.

Trials are selected by the rows that score them, so the plan's score is optimistic; the gate uses
rows that this search never sees. The journal is a file of one writer.

Source: Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011 (TPE).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
from lightgbm.basic import LightGBMError
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from bundle.arrays import Floats
from methods.models.families import FAMILIES, EncodedRows, FitLimits, Settings, Shape
from methods.models.metrics import MetricDefinition

# A fit gets at most this share of what is left, so that no family uses up a search.
_SHARE_OF_REST = 0.35
_LEAST_SECONDS = 0.5  # arbitrary: every family fits something useful within it
_MOST_TRIALS = 300  # arbitrary: past it TPE itself costs more than a fit
_FAILURES = (ValueError, FloatingPointError, MemoryError, np.linalg.LinAlgError, LightGBMError)


@dataclass(frozen=True)
class SearchRound:
    """Training and validation rows in an encoding fitted on the training rows."""

    shape: Shape
    train: EncodedRows
    validation: EncodedRows


@dataclass(frozen=True)
class ScoredTrial:
    """One trial that could be scored; `goodness` is the search metric, greater is better.

    `predicted` are the scored rows of all rounds, one after the other; `iterations` is the mean.
    """

    number: int
    family: str
    settings: Settings
    iterations: int
    goodness: float
    predicted: Floats
    seconds: float


def search_settings(
    rounds: Sequence[SearchRound],
    families: Sequence[str],
    metric: MetricDefinition,
    *,
    budget_seconds: float,
    seed: int,
    journal: Path,
) -> list[ScoredTrial]:
    """Return every scored trial in its order; the first ones are the families' defaults.

    The best family's default is fitted even where the budget is gone: a plan needs its iterations.
    Raises ValueError if nothing could be fitted.
    """
    began = time.process_time()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    shape = rounds[-1].shape
    truth = np.concatenate([one.validation.truth for one in rounds])
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name="tuning",
        sampler=optuna.samplers.TPESampler(seed=seed),
        direction="maximize",
    )
    for name in families:
        defaults = FAMILIES[name].defaults(shape)
        named = {f"{name}.{setting}": value for setting, value in defaults.items()}
        study.enqueue_trial({"family": name} | named)
    tried: list[ScoredTrial] = []
    seconds: dict[str, float] = {}
    for number in range(_MOST_TRIALS):
        left = budget_seconds - (time.process_time() - began)
        if number and left < _LEAST_SECONDS:
            break
        waiting = len(families) - number
        share = 1.0 / (waiting + 1) if waiting > 0 else _SHARE_OF_REST
        trial = study.ask()
        name = trial.suggest_categorical("family", list(families))
        settings = FAMILIES[name].suggest(trial, shape)
        if number and seconds.get(name, 0.0) > left:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            if min(seconds.values()) > left:
                break
            continue
        started = time.process_time()
        cap = max(_LEAST_SECONDS, share * left) / len(rounds)
        try:
            fitted = [
                FAMILIES[name].fit(
                    one.shape,
                    one.train,
                    settings,
                    FitLimits(seed, cap_seconds=cap, validation=one.validation),
                )
                for one in rounds
            ]
            predicted = np.concatenate(
                [
                    each.predict(one.validation.encoded)
                    for each, one in zip(fitted, rounds, strict=True)
                ]
            )
            goodness = metric.goodness(metric.score(truth, predicted))
        except _FAILURES as error:
            trial.set_user_attr("failure", f"{type(error).__name__}: {str(error)[:200]}")
            goodness = float("nan")
        used = time.process_time() - started
        seconds[name] = used if name not in seconds else 0.5 * (seconds[name] + used)
        if not np.isfinite(goodness):
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        study.tell(trial, goodness)
        steps = round(sum(each.iterations for each in fitted) / len(fitted))
        tried.append(
            ScoredTrial(number, name, fitted[-1].settings, steps, goodness, predicted, used)
        )
    if not tried:
        message = f"none of {', '.join(families)} could be fitted"
        raise ValueError(message)
    return tried
