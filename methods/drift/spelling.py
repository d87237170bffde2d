"""Is an unknown category a known one in another spelling? Capitals, spaces, accents, a wrong decoding.

A rename of every row is seen by its share alone. A fifth of the rows in capitals, or decoded as
another character set on one of five machines, is not: what gives them away is that the "new" texts
are the old ones.
"""

import unicodedata
from collections.abc import Iterable

# UTF-8 that was read as one of these gives the two or three strange letters for one.
_DECODED_AS = ("cp1252", "latin-1")


def plain_spelling(text: str) -> str:
    """Return a text without what a careless hand or a wrong decoding changes.

    Letters and digits alone, in lower case and without accents; the text itself where nothing
    remains.

    >>> plain_spelling("São Paulo"), plain_spelling(" SAO-PAULO"), plain_spelling("SÃ£o Paulo")
    ('saopaulo', 'saopaulo', 'saopaulo')
    """
    parts = unicodedata.normalize("NFKD", _decoded_again(text)).casefold()
    return "".join(letter for letter in parts if letter.isalnum()) or text


def spellings(levels: Iterable[str]) -> frozenset[str]:
    """Return the plain spellings of the known categories."""
    return frozenset(map(plain_spelling, levels))


def _decoded_again(text: str) -> str:
    """Undo UTF-8 that was read as a one-byte character set; the text itself where it was not."""
    if text.isascii():
        return text
    for encoding in _DECODED_AS:
        try:
            return text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return text
