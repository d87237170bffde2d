"""A model that was read from a bundle: a scorer with its digest and metadata."""

from collections.abc import Mapping

from pydantic import JsonValue

from bundle.documents import Card, Contract, Golden, ModelDocument
from bundle.plans import EncoderDocument
from bundle.scorer import Scorer
from bundle.tensors import Tensors


class Model(Scorer):
    """What `bundle.load` gives; its parts were verified, its golden rows reproduced."""

    def __init__(
        self,
        *,
        document: ModelDocument,
        encoder: EncoderDocument,
        members: Mapping[str, Tensors],
        contract: Contract,
        digest: str,
        card: Card,
        profile: JsonValue,
        golden: Golden,
    ) -> None:
        """Keep the metadata beside the scorer.

        Raises:
            Refused: when encoder, members and contract do not fit one another.
        """
        super().__init__(document=document, encoder=encoder, members=members, contract=contract)
        self.digest = digest
        self.card = card
        self.profile = profile
        self.golden = golden
