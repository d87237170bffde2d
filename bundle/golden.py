"""Golden rows: raw rows with the answer of every stage, so that a wrong reader names its fault.

They catch what no checksum can: another libm, a miscompiled kernel, a changed rule.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from bundle.documents import Golden, GoldenRow
from bundle.encoder import Row
from bundle.refusal import BundleRefused, require
from bundle.scorer import Scorer
from contract.errors import InvalidRequest

_Cell = bool | int | float | str | None


def make(scorer: Scorer, rows: Iterable[Row]) -> Golden:
    """Return the rows with what this reader makes of them; the coercion counts stay as they were.

    Values that JSON cannot hold are stored as a caller would send them: NaN as null, an infinity
    as the text "inf", a date in ISO 8601, a decimal as its text.

    Raises:
        InvalidRequest: for a value that no request could hold.
    """
    counts = dict(scorer.encoder.coerced)
    answers = [
        _answer(scorer, {name: _plain(value) for name, value in row.items()}) for row in rows
    ]
    scorer.encoder.coerced.update(counts)
    return Golden(rows=tuple(answers))


def check(scorer: Scorer, golden: Golden) -> None:
    """Go on only if the reader reproduces every row; the first stage that differs is named.

    Raises:
        BundleRefused: when a stage differs.
    """
    counts = dict(scorer.encoder.coerced)
    for number, expected in enumerate(golden.rows):
        actual = _answer(scorer, expected.row)
        where = f"golden row {number} is not reproduced: the"
        same = actual.encoded == expected.encoded
        if not same:  # the sentence can be made only where something differs
            sentence = f"{where} encoder differs at {_differing(scorer, actual, expected)}"
            raise BundleRefused(sentence)
        require(len(actual.members) == len(expected.members), f"{where} number of members differs")
        for index, scores in enumerate(actual.members):
            close = _close(scores, expected.members[index], golden.tolerance)
            require(close, f"{where} member {scorer.document.members[index].file} differs")
        close = _close(actual.output, expected.output, golden.tolerance)
        require(close, f"{where} output differs, after its members agreed")
    scorer.encoder.coerced.update(counts)


def _answer(scorer: Scorer, row: dict[str, _Cell]) -> GoldenRow:
    encoded = scorer.encoder.one(row)
    output = scorer.one(row)
    return GoldenRow(
        row=row,
        encoded=tuple(None if math.isnan(value) else value for value in encoded),
        members=tuple(tuple(scores) for scores in scorer.stages(encoded)),
        output=tuple(output) if isinstance(output, list) else (output,),
    )


def _close(actual: Sequence[float], expected: Sequence[float], tolerance: float) -> bool:
    return len(actual) == len(expected) and all(
        abs(value - target) <= tolerance * max(1.0, abs(target))  # NaN compares false
        for value, target in zip(actual, expected, strict=True)
    )


def _differing(scorer: Scorer, actual: GoldenRow, expected: GoldenRow) -> str:
    if len(actual.encoded) != len(expected.encoded):
        return f"its width: {len(actual.encoded)}, expected {len(expected.encoded)}"
    pairs = zip(actual.encoded, expected.encoded, strict=True)
    index = next(index for index, (value, target) in enumerate(pairs) if value != target)
    return f"column {scorer.encoder.names[index]!r}"


def _plain(value: object) -> _Cell:
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return float(value) if math.isfinite(value) else "inf"
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    item = getattr(value, "item", None)
    inner = item() if callable(item) else None
    if isinstance(inner, bool | int | float | str):
        return _plain(inner)
    sentence = f"a golden row holds a {type(value).__name__}, expected a JSON value or a date"
    raise InvalidRequest(sentence)
