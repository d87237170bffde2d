"""References: `NAME=URI#OUTPUT@sha256:HEX` names one output of one manifest, by digest."""

import re
from typing import Any, TypeVar

from contract.artifacts import Artifact
from contract.canonical_json import sha256
from contract.errors import InvalidRequest
from contract.formatting import format_digest
from contract.manifest import Manifest
from contract.store.client import Store
from contract.store.documents import parse_document, parse_value
from contract.strict import Strict

Kind = TypeVar("Kind", bound=Artifact)

ARTIFACT = frozenset(Artifact.model_fields)
PATTERN = re.compile(
    r"(?P<name>[a-z_]+)=(?P<uri>s3://[^#]+)#(?P<output>[a-z_]+)@sha256:(?P<sha256>[0-9a-f]{64})"
)


class Take(Strict):
    """One reference: the input's name, the manifest and which of its outputs."""

    name: str
    manifest: str
    output: str
    sha256: str

    @classmethod
    def parse(cls, text: str) -> "Take":
        """Read the command line's spelling.

        Raises:
            InvalidRequest: it is not of that form.

        >>> Take.parse("problem=s3://store/a/manifest.json#problem@sha256:" + "0" * 64).output
        'problem'
        """
        match = PATTERN.fullmatch(text)
        if match is None:
            sentence = f"--take {text!r} was found, NAME=URI#OUTPUT@sha256:HEX is expected."
            raise InvalidRequest(sentence)
        name, uri, output, digest = match.group("name", "uri", "output", "sha256")
        return cls(name=name, manifest=uri, output=output, sha256=digest)

    def resolve(self, store: Store) -> Any:  # noqa: ANN401 - an artifact or a mapping of them
        """Return what stands in the manifest under the output's name.

        Raises:
            InvalidRequest: the manifest is another one, or has no such output.
            DamagedDocument: it cannot be read.
        """
        key = store.key(self.manifest)
        body = store.get(key)
        digest = sha256(body)
        if digest != self.sha256:
            sentence = (
                f"The manifest {self.manifest} has the sha256 {format_digest(digest)}…, expected "
                f"{format_digest(self.sha256)}…; take the one that the earlier stage named."
            )
            raise InvalidRequest(sentence)
        outputs = parse_document(body, Manifest, key).outputs
        if self.output not in outputs:
            sentence = (
                f"The manifest {self.manifest} has no output {self.output!r}; "
                f"it has {', '.join(sorted(outputs))}."
            )
            raise InvalidRequest(sentence)
        return outputs[self.output]

    def resolve_artifact(self, store: Store, kind: type[Kind]) -> Kind:
        """Return the artifact of that kind which stands in the manifest under the output's name.

        Raises:
            InvalidRequest: as in `resolve`.
            DamagedDocument: the manifest cannot be read, or the output is something else.
        """
        name = f"{store.key(self.manifest)}#{self.output}"
        return parse_value(self.resolve(store), kind, name)


def artifacts_in(value: Any, name: str) -> list[Artifact]:  # noqa: ANN401 - any JSON value
    """Return every artifact inside the value of the document `name`, in a fixed order.

    Raises:
        DamagedDocument: something has an artifact's fields and is none.
    """
    if isinstance(value, dict):
        if value.keys() >= ARTIFACT:
            plain = {field: value[field] for field in ARTIFACT}
            return [parse_value(plain, Artifact, name)]
        return [one for field in sorted(value) for one in artifacts_in(value[field], name)]
    if isinstance(value, list):
        return [one for entry in value for one in artifacts_in(entry, name)]
    return []
