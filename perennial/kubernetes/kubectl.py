"""kubectl as a subprocess: JSON results, and one exception with one sentence for each failure."""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from contract.errors import InvalidRequest, TryAgain
from perennial.kubernetes import kubectl_errors

CALL_SECONDS = 60.0
REACH_SECONDS = 10  # an unreachable cluster sends no answer at all, and a person waits
PLATFORM, TASKS, SERVING = "perennial", "perennial-tasks", "perennial-serving"
NAMESPACES = (PLATFORM, TASKS, SERVING)
OURS = "app.kubernetes.io/part-of=perennial"

Resource = dict[str, Any]


class Kubectl:
    """kubectl with one context of the kubeconfig; None is the current context."""

    def __init__(self, context: str | None) -> None:
        self.context = context
        self.context_name = f"the context {context!r}" if context else "kubectl's current context"

    def command_line(self, *arguments: str) -> list[str]:
        """Return the command line of a call.

        Raises:
            InvalidRequest: kubectl is not installed.
        """
        # The environment of the tasks contains one; a person's own fits their cluster better.
        bundled = Path(sys.executable).with_name("kubectl")
        program = shutil.which("kubectl") or (str(bundled) if bundled.exists() else None)
        if program is None:
            sentence = "There is no kubectl on the PATH; install it, nothing else is needed."
            raise InvalidRequest(sentence)
        options = [f"--context={self.context}"] if self.context else []
        return [program, *options, *arguments]

    def __call__(self, *arguments: str, stdin: str = "", seconds: float = CALL_SECONDS) -> str:
        """Return the standard output of a call, which may take `seconds`.

        Raises:
            InvalidRequest: the cluster refuses the request, or has no such resource.
            TryAgain: the cluster does not answer.
        """
        try:
            process = subprocess.run(
                self.command_line(*arguments),
                input=stdin,
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            sentence = (
                f"The cluster of {self.context_name} did not answer within {seconds:.0f} s "
                f"(kubectl {arguments[0]}); see whether it is up."
            )
            raise TryAgain(sentence) from error
        if process.returncode != 0:
            raise kubectl_errors.parse(process.stderr, self.context_name)
        return process.stdout

    def check_reachable(self) -> None:
        """Check that the context leads to a cluster: one request, without API discovery.

        Raises:
            InvalidRequest: the context or the credentials are invalid.
            TryAgain: the cluster does not answer.
        """
        self("get", "--raw", "/version", f"--request-timeout={REACH_SECONDS}s")

    def get(self, namespace: str, *arguments: str) -> Resource:
        """Return a resource, or a list of resources."""
        resource: Resource = json.loads(self("-n", namespace, "get", *arguments, "-o", "json"))
        return resource

    def find(self, namespace: str, *arguments: str) -> Resource | None:
        """Return a resource; None where it does not exist."""
        text = self("-n", namespace, "get", *arguments, "--ignore-not-found", "-o", "json")
        resource: Resource | None = json.loads(text) if text.strip() else None
        return resource

    def secret(self, namespace: str, name: str) -> dict[str, str] | None:
        """Return the decoded data of a Secret; None where it does not exist."""
        resource = self.find(namespace, "secret", name)
        if resource is None:
            return None
        data = resource.get("data") or {}
        return {str(key): base64.b64decode(value).decode() for key, value in data.items()}

    def patch(self, namespace: str, name: str, body: Resource, kind: str = "strategic") -> None:
        """Patch a resource; the body goes through standard input, since it may contain a secret."""
        arguments = ("-n", namespace, "patch", name, "--type", kind, "--patch-file", "/dev/stdin")
        self(*arguments, stdin=json.dumps(body))

    def create(self, body: Resource) -> None:
        """Create one resource, which must not exist yet."""
        self("create", "-f", "-", stdin=json.dumps(body))
