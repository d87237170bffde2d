"""What is predicted: the learning task of a target, its classes, and its coding as numbers."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from contract.errors import InvalidRequest, Refused
from contract.learning_task import LearningTask
from contract.problem import Problem
from methods.columns.roles import is_string

PAIR = 2
MOST_CLASSES = 100  # arbitrary; more texts than this are identifiers or prose, not classes
INTEGER_CLASSES = 10  # whole numbers with more values than this are counts, not classes
ROWS_A_CLASS = 20  # fewer rows a value than this, and whole numbers are a measure
# Labels that mean yes: where one of a pair does, it is positive in every run; the rarer may change.
_YES = ("true", "1", "yes", "y", "t", "positive", "pos")


def label_text(value: object) -> str | None:
    """Return the text of a label: booleans in lower case, whole floats as integers.

    >>> [label_text(value) for value in (True, 3.0, "late", None, float("nan"))]
    ['true', '3', 'late', None, None]
    """
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def label_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of labels as texts, each as by `label_text`; a missing label stays null."""
    encoded = pa.chunked_array(column.chunks, column.type).unify_dictionaries()
    encoded = pc.dictionary_encode(encoded).combine_chunks()
    words = pa.array([label_text(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([words.take(encoded.indices)])


def labelled(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a mask of shape (n,): True where there is a label; NaN is none."""
    if pt.is_floating(column.type):
        return pc.fill_null(pc.is_finite(column), fill_value=False)
    return pc.is_valid(column)


def task_of(column: pa.ChunkedArray, problem: Problem) -> LearningTask:
    """Return the declared task, or the one that follows from the target's values.

    Raises:
        Refused: there is no label, one value only, or more texts than classes can be.
    """
    name = problem.target.column
    present = column.filter(labelled(column))
    distinct = pc.count_distinct(present).as_py()
    if distinct < PAIR:
        values = "no value" if distinct == 0 else f"one value, {present[0].as_py()!r}"
        sentence = (
            f"The target {name!r} holds {values} in {len(column)} rows; at least two are needed. "
            "Choose another target, or a longer window."
        )
        raise Refused(sentence)
    if problem.target.task is not None:
        return problem.target.task
    if distinct == PAIR:
        return "binary"
    kind = column.type
    if is_string(kind) or pt.is_boolean(kind):
        if distinct > MOST_CLASSES:
            sentence = (
                f"The target {name!r} holds {distinct} different texts; at most {MOST_CLASSES} "
                "classes can be told apart. Choose another target, or merge its values."
            )
            raise Refused(sentence)
        return "multiclass"
    if not (pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind)):
        sentence = (
            f"The target {name!r} is of type {kind}; a number, a text or a boolean is needed. "
            "Choose another target."
        )
        raise Refused(sentence)
    numbers = pc.cast(present, pa.float64(), safe=False)
    whole = pc.all(pc.equal(numbers, pc.floor(numbers))).as_py()
    few = distinct <= INTEGER_CLASSES and distinct * ROWS_A_CLASS <= len(present)
    return "multiclass" if whole and few else "regression"


def classes_of(column: pa.ChunkedArray, task: LearningTask, problem: Problem) -> tuple[str, ...]:
    """Return the classes: (negative, positive), sorted, or () for a regression.

    The positive class is the declared one; else the one that means yes; else the rarer.

    Raises:
        Refused: a binary target with more than two values.
        InvalidRequest: the declared positive class is not among the values.
    """
    if task == "regression":
        return ()
    counts = Counter(word for word in label_texts(column).to_pylist() if word is not None)
    words = sorted(counts, key=_order)
    if task == "multiclass":
        return tuple(words)
    if len(words) != PAIR:
        sentence = (
            f"The target {problem.target.column!r} holds {len(words)} values "
            f"({', '.join(map(repr, words[:5]))} …), binary needs two; set `target.task`."
        )
        raise Refused(sentence)
    positive = _positive(words, counts, problem)
    return (words[1] if positive == words[0] else words[0], positive)


def _positive(words: list[str], counts: Counter[str], problem: Problem) -> str:
    declared = problem.target.positive
    if declared is not None:
        text = label_text(declared)
        matching = [word for word in words if word == text or word.lower() == str(text).lower()]
        if not matching and str(text).lower() in _YES:
            # `yes` in the problem file and `true` in the data mean the same.
            matching = [word for word in words if word.lower() in _YES]
        if not matching:
            sentence = (
                f"target.positive is {declared!r}, the target {problem.target.column!r} holds "
                f"{words[0]!r} and {words[1]!r}; name one of them."
            )
            raise InvalidRequest(sentence)
        return matching[0]
    affirming = [word for word in words if word.lower() in _YES]
    if len(affirming) == 1:
        return affirming[0]
    return min(reversed(words), key=lambda word: counts[word])


def _order(word: str) -> tuple[int, float, str]:
    """Sort numbers as numbers and before words."""
    try:
        return (0, float(word), word)
    except ValueError:
        return (1, 0.0, word)


def class_codes(column: pa.ChunkedArray, classes: tuple[str, ...], name: str) -> np.ndarray:
    """Return each label's index among the classes as float64 of shape (n,); NaN where unlabelled.

    Raises:
        Refused: a class that is not among them.
    """
    words = label_texts(column)
    codes = pc.index_in(words, value_set=pa.array(classes, pa.string()))
    unknown = pc.and_(pc.is_null(codes), pc.is_valid(words))
    if pc.any(unknown).as_py():
        label = words.filter(unknown)[0].as_py()
        sentence = (
            f"The target {name!r} holds the class {label!r}; the classes are "
            f"{', '.join(map(repr, classes))}. Correct the rows, or start a run that searches anew."
        )
        raise Refused(sentence)
    numbers = pc.cast(codes, pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(numbers, dtype=np.float64)


def numbers_of(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """Return a regression's target as float64 of shape (n,); NaN where unlabelled.

    Raises:
        InvalidRequest: it holds no numbers.
    """
    try:
        numbers = pc.cast(column, pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        sentence = (
            f"The target {name!r} is of type {column.type}, a regression needs a number; "
            "set `target.task`, or choose another column."
        )
        raise InvalidRequest(sentence) from error
    values = np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values
