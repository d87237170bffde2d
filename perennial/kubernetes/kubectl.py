"""kubectl as this room uses it: one call, one answer, and one sentence where it could not."""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from contract.errors import AskedWrongly, TryAgain
from perennial.kubernetes.kubectl_errors import complaint

ASK_SECONDS = 60.0
REACH_SECONDS = 10  # a cluster that is away answers nothing at all, and its person waits
PLATFORM, TASKS, SERVING = "perennial", "perennial-tasks", "perennial-serving"
NAMESPACES = (PLATFORM, TASKS, SERVING)
OURS = "app.kubernetes.io/part-of=perennial"

Resource = dict[str, Any]


class Kubectl:
    """kubectl with one context of the kubeconfig; None is its current one."""

    def __init__(self, context: str | None) -> None:
        self.context = context
        self.where = f"the context {context!r}" if context else "kubectl's current context"

    def words(self, *words: str) -> list[str]:
        """Return the command line of a call.

        Raises:
            AskedWrongly: there is no kubectl.
        """
        # The environment of the tasks brings one along; a person's own knows its cluster better.
        beside = Path(sys.executable).with_name("kubectl")
        program = shutil.which("kubectl") or (str(beside) if beside.exists() else None)
        if program is None:
            sentence = "There is no kubectl on the PATH; install it, it is all that is needed."
            raise AskedWrongly(sentence)
        chosen = [f"--context={self.context}"] if self.context else []
        return [program, *chosen, *words]

    def __call__(self, *words: str, given: str | None = None, seconds: float = ASK_SECONDS) -> str:
        """Return what kubectl prints; `given` is its standard input.

        Raises:
            AskedWrongly: the cluster refuses, or does not know what is asked for.
            TryAgain: it does not answer.
        """
        command = self.words(*words)
        try:
            done = subprocess.run(
                command,
                input=given or "",
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            sentence = (
                f"The cluster of {self.where} did not answer within {seconds:.0f} s "
                f"(kubectl {words[0]}); see whether it is up."
            )
            raise TryAgain(sentence) from error
        if done.returncode != 0:
            raise complaint(done.stderr, self.where)
        return done.stdout

    def reach(self) -> None:
        """See that there is a cluster behind the context: one request, without any discovery."""
        self("get", "--raw", "/version", f"--request-timeout={REACH_SECONDS}s")

    def get(self, namespace: str, *words: str) -> Resource:
        """Return a resource, or a list of them."""
        found: Resource = json.loads(self("-n", namespace, "get", *words, "-o", "json"))
        return found

    def find(self, namespace: str, *words: str) -> Resource | None:
        """Return a resource; None where there is none."""
        said = self("-n", namespace, "get", *words, "--ignore-not-found", "-o", "json")
        found: Resource | None = json.loads(said) if said.strip() else None
        return found

    def secret(self, namespace: str, name: str) -> dict[str, str] | None:
        """Return what a Secret holds; None where there is none."""
        found = self.find(namespace, "secret", name)
        if found is None:
            return None
        data = found.get("data") or {}
        return {str(key): base64.b64decode(value).decode() for key, value in data.items()}

    def patch(self, namespace: str, what: str, body: Resource, kind: str = "strategic") -> None:
        """Change a resource; the body goes through standard input: it may hold a secret."""
        words = ("-n", namespace, "patch", what, "--type", kind, "--patch-file", "/dev/stdin")
        self(*words, given=json.dumps(body))

    def make(self, body: Resource) -> None:
        """Create one resource, which must not be there yet."""
        self("create", "-f", "-", given=json.dumps(body))
