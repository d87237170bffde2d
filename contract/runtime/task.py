"""A task: three models and one function. The command line, manifest and exit codes follow here."""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import ValidationError

from contract import manifest as manifests
from contract.artifacts import Artifact
from contract.canonical_json import canonical_json, sha256
from contract.errors import Conflict, InvalidRequest, PerennialError, TryAgain, is_disk_full
from contract.facts import TASK_DONE
from contract.log import log
from contract.manifest import Manifest, Result
from contract.runtime.code_digest import code_digest
from contract.runtime.process import RESULT_BYTES, end_with_the_group, now, write_result
from contract.store.client import Store
from contract.store.documents import parse_document
from contract.store.layout import parse_bundle_prefix, parse_stage_prefix
from contract.store.reference import Take, artifacts_in
from contract.store.writer import Out
from contract.strict import Strict

SENTENCE_CHARACTERS = 1_000  # arbitrary; a sentence that is longer is a report

I = TypeVar("I", bound=Strict)  # noqa: E741 - inputs, params, outputs
P = TypeVar("P", bound=Strict)
O = TypeVar("O", bound=Strict)  # noqa: E741 - as above


class Task(Generic[I, P, O]):
    """A named function from typed inputs and parameters to typed outputs."""

    def __init__(self, name: str, run: Callable[[I, P, Out], O]) -> None:
        hints = get_type_hints(run)
        self.name = name
        self.run = run
        self.inputs: type[I] = hints["inputs"]
        self.params: type[P] = hints["params"]
        self.outputs: type[O] = hints["return"]

    def main(self, arguments: Sequence[str]) -> int:
        """Run the task as a process does and return its exit code."""
        end_with_the_group()
        options = self._parse(arguments)
        began = time.monotonic()
        try:
            store = Store.from_environment()
            takes = [Take.parse(text) for text in options.take]
            result = self.carry_out(store, takes, _params(options.params), options.out)
            write_result(result.model_dump(mode="json"))
        except PerennialError as error:
            return self._end(str(error)[:SENTENCE_CHARACTERS], error.exit_code)
        except Exception as error:
            if not is_disk_full(error):
                raise
            message = " ".join(str(error).split())[:SENTENCE_CHARACTERS]
            sentence = f"The disk is full ({message}); free space and run it again."
            return self._end(sentence, TryAgain.exit_code)
        # These fields win over a fact of the same name.
        fields = {
            "task": self.name,
            "out": options.out,
            "outcome": result.outcome,
            "seconds": round(time.monotonic() - began, 3),
            "at": now(),
        }
        log(self.name).info(TASK_DONE, **(result.facts | fields))
        return 0

    def _end(self, sentence: str, exit_code: int) -> int:
        """Write down why the task ends here and return the exit code."""
        # On a full disk the last log line alone holds the sentence.
        with contextlib.suppress(OSError):
            write_result({"why": sentence})
        log(self.name).error("task ended", task=self.name, exit=exit_code, why=sentence)
        return exit_code

    def carry_out(self, store: Store, takes: Sequence[Take], params: Any, uri: str) -> Result:  # noqa: ANN401 - parsed JSON
        """Validate the request, run once, write the manifest last.

        Where the manifest is there already: a hit if the request is the same and every output is
        still there. Outputs that are gone are made again.

        Raises:
            InvalidRequest: inputs or parameters do not validate, `uri` is no stage's, or another task
                stands at it.
            DamagedDocument: a manifest cannot be read.
        """
        prefix = store.key(uri).rstrip("/")
        inputs, given = self._validate(store, takes, params)
        asked_inputs = inputs.model_dump(mode="json")
        asked_params = given.model_dump(mode="json")
        code = code_digest(self.name)
        key = str(parse_stage_prefix(prefix))
        known = store.get_with_etag(key)
        if known is not None:
            earlier = self._same(known[0], key, code, asked_inputs, asked_params)
            if _all_there(store, earlier.outputs, key):
                log(self.name).info("made before", task=self.name, out=uri)
                return _result(store, key, known[0])
        body = self._make(store, prefix, inputs, given, code)
        if known is not None:
            if parse_document(body, Manifest, key).outputs != earlier.outputs:
                sentence = f"Outputs of {uri} are gone and came out differently: start a new run."
                raise InvalidRequest(sentence)
            return _result(store, key, known[0])
        try:
            store.create(key, body)
        except Conflict:
            body = store.get(key)
            self._same(body, key, code, asked_inputs, asked_params)
        return _result(store, key, body)

    def _make(self, store: Store, prefix: str, inputs: I, params: P, code: str) -> bytes:
        started, began, cpu = datetime.now(UTC), time.monotonic(), _cpu_seconds()
        out = Out(store, prefix, Path(tempfile.mkdtemp(prefix=f"{self.name}-")))
        try:
            model = self.run(inputs, params, out)
        finally:
            out.close()
        outputs, facts = _outputs_and_facts(model)
        manifest = Manifest(
            task=self.name,
            problem=out.problem,
            run=out.run,
            code=code,
            inputs=inputs.model_dump(mode="json"),
            params=params.model_dump(mode="json"),
            outputs=outputs,
            facts=facts,
            outcome=str(facts.pop("outcome", "made")),
            started=started,
            seconds=round(time.monotonic() - began, 3),
            cpu_seconds=round(_cpu_seconds() - cpu, 3),
        )
        return canonical_json(manifest.model_dump(mode="json"))

    def _validate(self, store: Store, takes: Sequence[Take], params: Any) -> tuple[I, P]:  # noqa: ANN401 - parsed JSON
        names = [take.name for take in takes]
        for name in names:
            if names.count(name) > 1:
                sentence = f"--take {name} was given {names.count(name)} times; once is expected."
                raise InvalidRequest(sentence)
        try:
            given = self.params.model_validate(params)
            inputs = self.inputs.model_validate({take.name: take.resolve(store) for take in takes})
        except ValidationError as error:
            raise InvalidRequest(f"{self.name}: {_first(error)}") from error
        return inputs, given

    def _same(
        self, body: bytes, key: str, code: str, inputs: dict[str, Any], params: dict[str, Any]
    ) -> Manifest:
        """Return the manifest at `key`, if it was asked for the same.

        Raises:
            InvalidRequest: it was not.
            DamagedDocument: it cannot be read.
        """
        found = parse_document(body, Manifest, key)
        if found.identity == manifests.identity(self.name, code, inputs, params):
            return found
        asked = {"task": self.name, "code": code, "inputs": inputs, "params": params}
        differs = [name for name, value in asked.items() if getattr(found, name) != value]
        sentence = (
            f"At {key} stands a manifest with other {' and '.join(differs)}; "
            "a run never changes what it made: start a new run."
        )
        raise InvalidRequest(sentence)

    def _parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        parser = argparse.ArgumentParser(
            prog=f"python -m tasks {self.name}",
            description=(sys.modules[self.run.__module__].__doc__ or "").partition("\n")[0],
        )
        parser.add_argument(
            "--take",
            action="append",
            default=[],
            metavar="NAME=URI#OUTPUT@sha256:HEX",
            help=f"an input: {', '.join(self.inputs.model_fields) or 'none'}",
        )
        parser.add_argument(
            "--params",
            default="{}",
            metavar="FILE|JSON",
            help=f"the parameters: {', '.join(self.params.model_fields) or 'none'}",
        )
        parser.add_argument("--out", required=True, metavar="URI", help="the stage's own prefix")
        return parser.parse_args(arguments)


def _params(text: str) -> Any:  # noqa: ANN401 - parsed JSON
    source = text
    if not text.lstrip().startswith("{"):
        try:
            source = Path(text).read_text(encoding="utf-8")
        except OSError as error:
            raise InvalidRequest(f"--params {text!r} cannot be read: {error.strerror}.") from error
    try:
        return json.loads(source)
    except ValueError as error:
        raise InvalidRequest(f"--params is not JSON: {error}.") from error


def _first(error: ValidationError) -> str:
    """Return all errors in one sentence, each with its field first."""
    return "; ".join(
        f"{'.'.join(map(str, entry['loc'])) or 'value'}: {entry['msg']}"
        for entry in error.errors(include_url=False)
    )


def _outputs_and_facts(model: Strict) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields that are artifacts, or tables of them, and the others: facts."""
    outputs: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for name, plain in model.model_dump(mode="json").items():
        value = getattr(model, name)
        several = isinstance(value, dict) and all(isinstance(v, Artifact) for v in value.values())
        is_output = isinstance(value, Artifact) or (several and bool(value))
        if is_output or (several and _declares_artifacts(type(model), name)):
            outputs[name] = plain
        elif plain is not None:
            facts[name] = plain
    return outputs, facts


def _declares_artifacts(model: type[Strict], name: str) -> bool:
    """Tell whether an empty mapping is a mapping of artifacts."""
    arguments = getattr(model.model_fields[name].annotation, "__args__", ())
    return any(isinstance(kind, type) and issubclass(kind, Artifact) for kind in arguments)


def _all_there(store: Store, outputs: dict[str, Any], manifest: str) -> bool:
    """HEAD every output; a bundle is there when its manifest is."""
    for artifact in artifacts_in(outputs, manifest):
        key = store.key(artifact.uri)
        bundle = parse_bundle_prefix(key)
        found = store.head(str(bundle or key))
        if found is None or (bundle is None and found.bytes != artifact.bytes):
            return False
    return True


def _result(store: Store, key: str, body: bytes) -> Result:
    """Return the result for the caller: where it is too long, the largest facts are left out."""
    content = parse_document(body, Manifest, key)
    facts = {k: v for k, v in content.facts.items() if isinstance(v, str | int | float | bool)}
    while True:
        result = Result(
            manifest=store.uri(key), sha256=sha256(body), outcome=content.outcome, facts=facts
        )
        if len(result.canonical()) <= RESULT_BYTES or not facts:
            return result
        del facts[max(facts, key=lambda name: len(str(facts[name])))]


def _cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
