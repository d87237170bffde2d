"""The two pointers: `rollout.json`, what the service should serve, and `champion.json`, who won.

Both move by compare-and-swap alone. The rollout moves first and is a wish; the champion moves
last, once the service was checked.
"""

import uuid
from datetime import datetime

from contract.champion import Champion
from contract.errors import Conflict
from contract.serving_state import Rollout
from contract.store.champion_pointer import champion_with_etag, set_champion
from contract.store.client import Store
from contract.store.documents import DamagedDocument, parse_document
from contract.store.layout import rollout_key

ATTEMPTS = 10  # arbitrary; a person and a deployment are the only writers


class Pointers:
    """The pointers of one problem."""

    def __init__(self, store: Store, problem: str) -> None:
        self._store = store
        self._problem = problem

    def champion(self) -> tuple[Champion | None, str | None]:
        """Return who serves and the ETag for `crown`; (None, None) before the first deployment.

        Raises:
            DamagedDocument: nobody knows whom the model would replace.
        """
        return champion_with_etag(self._store, self._problem)

    def crown(self, champion: Champion, etag: str | None) -> None:
        """Move the champion, if nobody moved it since `etag`.

        Raises:
            Conflict: somebody did.
        """
        set_champion(self._store, self._problem, champion, etag)

    def roll_out(self, digest: str | None, at: datetime) -> None:
        """Tell the service what to serve; nothing is written where it is told so already.

        Raises:
            Conflict: others keep writing it.
        """
        key = rollout_key(self._problem)
        for _ in range(ATTEMPTS):
            found = self._store.get_with_etag(key)
            if (digest is None) if found is None else self._names(found[0]) == (digest,):
                return
            wish = Rollout(digest=digest, nonce=uuid.uuid4().hex, at=at)
            try:
                self._store.swap(key, wish.canonical(), found[1] if found else None)
            except Conflict:
                continue
            return
        sentence = f"{key} is being written by others all the time; it is tried again."
        raise Conflict(sentence)

    @staticmethod
    def _names(body: bytes) -> tuple[str | None, ...]:
        """Return the digest in a tuple; an empty one for a document that cannot be read."""
        try:
            return (parse_document(body, Rollout, "rollout.json").digest,)
        except DamagedDocument:
            return ()
