"""What a family of the store's keys is: a template, the pattern that parses, a retention.

The families themselves are in `contract.store.layout`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from enum import Enum
from string import Formatter
from typing import ClassVar, Self, dataclass_transform

_PATTERNS = {
    "digest": r"[0-9a-f]{64}",
    "prefix_of_digest": r"[0-9a-f]{16}",
    "number": r"\d{8,}",
    "day": r"\d{4}-\d{2}-\d{2}",
    "hour": r"\d{2}",
    "file": r".+",
}
_CONVERTERS: dict[str, Callable[[str], object]] = {"number": int, "day": date.fromisoformat}


def _pattern_of(template: str) -> Iterator[str]:
    for literal, name, _, _ in Formatter().parse(template):
        yield re.escape(literal)
        if name is not None:
            yield f"(?P<{name}>{_PATTERNS.get(name, '[^/]+')})"


class Retention(Enum):
    """How long the objects of a family are kept."""

    POINTER = "as long as the problem: it is one object, and moved in place"
    HISTORY = "as long as the problem: what happened"
    RECENT = "460 days after its own day; it can be made anew"
    RUN = "as long as its run"
    MODEL = "as long as its model"
    NAMED = "while a source's HEAD.json or a document of a kept run names it"


# Not `dataclasses`: it compiles its methods for each family, 9 ms of every start of a stage.
@dataclass_transform(frozen_default=True)
class Key:
    """One object's key; a family declares the parts of its template, in their order."""

    template: ClassVar[str]
    retention: ClassVar[Retention]
    _parts: ClassVar[tuple[str, ...]]
    _pattern: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls, template: str, retention: Retention) -> None:
        """Register a family."""
        super().__init_subclass__()
        cls.template, cls.retention = template, retention
        cls._parts = tuple(name for _, name, _, _ in Formatter().parse(template) if name)
        cls._pattern = re.compile("".join(_pattern_of(template)))
        FAMILIES.append(cls)

    def __init__(self, *parts: object, **named: object) -> None:
        """Take each part once, by position or by name."""
        given = dict(zip(self._parts, parts, strict=False))
        if len(parts) + len(named) != len(self._parts) or {*given, *named} != {*self._parts}:
            raise TypeError(f"{type(self).__name__} takes {', '.join(self._parts)}, each once.")
        self.__dict__.update(given, **named)

    def __eq__(self, other: object) -> bool:
        """Return whether `other` is the same key of the same family."""
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        """Return the hash of the key."""
        return hash(str(self))

    def __repr__(self) -> str:
        """Return the family and the key."""
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        """Return the key as the store takes it."""
        return self.template.format(**vars(self))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the parts of a key; None where it is not of this family."""
        match = cls._pattern.fullmatch(text)
        if match is None:
            return None
        try:
            parts = {
                name: _CONVERTERS.get(name, str)(part) for name, part in match.groupdict().items()
            }
        except ValueError:  # the 31st of February
            return None
        return cls(**parts)

    @classmethod
    def prefix(cls, problem: str, **known: object) -> str:
        """Return what all keys of this family begin with, up to the first part that is not `known`.

        >>> from contract.store.layout import PredictionsKey
        >>> PredictionsKey.prefix("flights", day="2026-01-31")
        'flights/predictions/dt=2026-01-31/hour='
        """
        values = {"problem": problem, **known}
        text = ""
        for literal, name, form, _ in Formatter().parse(cls.template):
            text += literal
            if name is None or name not in values:
                break
            text += format(values[name], form or "")
        return text


FAMILIES: list[type[Key]] = []
"""Every family, in the order in which `parse_key` tries them."""
