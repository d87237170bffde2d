"""The two pointers: `rollout.json`, what the service should serve, and `champion.json`, who won.

Both move by compare-and-swap alone. The rollout moves first and is a wish; the champion moves
last, once the service was checked.
"""

import uuid
from datetime import datetime

from pydantic import ValidationError

from contract.champion import Champion
from contract.errors import Conflict, Refused
from contract.serving_state import Rollout
from contract.store.client import Store
from contract.store.layout import champion_key, rollout_key

ATTEMPTS = 10  # arbitrary; a person and a deployment are the only writers


class Pointers:
    """The pointers of one problem."""

    def __init__(self, store: Store, problem: str) -> None:
        self._store = store
        self._problem = problem

    def champion(self) -> tuple[Champion | None, str | None]:
        """Return who serves and the ETag for `crown`; (None, None) before the first deployment.

        Raises:
            Refused: the document cannot be read: nobody knows whom the model would replace.
        """
        found = self._store.get_with_etag(champion_key(self._problem))
        if found is None:
            return None, None
        try:
            return Champion.model_validate_json(found[0]), found[1]
        except ValidationError as error:
            sentence = (
                f"{champion_key(self._problem)} is not the document of a champion, so nobody knows "
                "whom this model would replace; restore it, then deploy again."
            )
            raise Refused(sentence) from error

    def crown(self, champion: Champion, etag: str | None) -> None:
        """Move the champion, if nobody moved it since `etag`.

        Raises:
            Conflict: somebody did.
        """
        self._store.swap(champion_key(self._problem), champion.canonical(), etag)

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
            return (Rollout.model_validate_json(body).digest,)
        except ValidationError:
            return ()
