"""The pointer to the champion: read, and moved by compare-and-swap."""

from contract.champion import Champion
from contract.store.client import Store
from contract.store.documents import read_document, read_with_etag
from contract.store.layout import champion_key


def read_champion(store: Store, problem: str) -> Champion | None:
    """Return the champion; None before the first deployment.

    Raises:
        DamagedDocument: nobody knows who serves.
    """
    return read_document(store, champion_key(problem), Champion)


def champion_with_etag(store: Store, problem: str) -> tuple[Champion | None, str | None]:
    """Return the champion and the ETag for `set_champion`; (None, None) before the first one.

    Raises:
        DamagedDocument: as in `read_champion`.
    """
    return read_with_etag(store, champion_key(problem), Champion) or (None, None)


def set_champion(store: Store, problem: str, champion: Champion, etag: str | None) -> None:
    """Move the pointer, if nobody moved it since `etag`.

    Raises:
        Conflict: somebody did.
    """
    store.swap(champion_key(problem), champion.canonical(), etag)
