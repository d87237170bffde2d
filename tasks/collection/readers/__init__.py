"""One reader a kind of source, in a module that is named by the kind and ends in `reader = …`.

A reader is imported where a source of its kind is read: some bring native libraries that a problem
without such a source need not have (PostgreSQL's costs 0.3 CPU-s).
"""

from importlib import import_module

from contract.problem import Source
from tasks.collection.readers.base import Reader, ReadOptions


def reader_of(name: str, source: Source, options: ReadOptions) -> Reader:
    """Return the reader of one source.

    Raises:
        InvalidRequest: the environment lacks what the source needs.
    """
    module = import_module(f"{__name__}.{source.kind}")
    reader: Reader = module.reader(name, source, options)
    return reader
