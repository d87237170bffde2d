"""Turns kubectl's error output into one sentence with the right exit code."""

import re

from contract.errors import InvalidRequest, NotFound, PerennialError, TryAgain

_UNREACHABLE = re.compile(
    r"connection to the server|unable to connect to the server|connection refused|i/o timeout"
    r"|no such host|tls handshake timeout|context deadline exceeded|timed out|unexpected eof"
    r"|no route to host|network is unreachable|client\.timeout",
    re.IGNORECASE,
)
_NO_CLUSTER = re.compile(r"localhost:8080|no configuration has been provided|current-context")
_CERTIFICATE = re.compile(r"x509: (.+)")
_NO_CONTEXT = re.compile(r"context \"?([^\"]+?)\"? does not exist|no context exists .*\"(.+)\"")
_KUBECONFIG = re.compile(r"error loading config file|yaml: |stat .*: no such file")
_NO_POD = re.compile(r"pod is not running|timed out waiting for the condition|no ready pods")
_LATER = re.compile(
    r"\((InternalError|ServiceUnavailable|Timeout|TooManyRequests|Conflict|ServerTimeout)\)"
)
_CHARACTERS = 500


def parse(stderr: str, context: str) -> PerennialError:
    """Return the error that kubectl's standard error describes; `context` names the context.

    >>> parse('error: context "work" does not exist', "the context 'work'")
    InvalidRequest("There is no context 'work' in your kubeconfig; see `kubectl config get-contexts`.")
    """
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    # kubectl logs each attempt with a time stamp; its last line is the message.
    last = " ".join((lines[-1] if lines else "it left no message").split())[:_CHARACTERS]
    missing = _NO_CONTEXT.search(stderr)
    if missing:
        name = missing[1] or missing[2]
        sentence = (
            f"There is no context {name!r} in your kubeconfig; see `kubectl config get-contexts`."
        )
        return InvalidRequest(sentence)
    if _NO_CLUSTER.search(stderr):
        sentence = (
            "kubectl knows no cluster; set KUBECONFIG, or name one by --context "
            "(see `kubectl config get-contexts`)."
        )
        return InvalidRequest(sentence)
    certificate = _CERTIFICATE.search(last)
    if certificate:
        sentence = (
            f"The server of {context} has an invalid certificate ({certificate[1]}); "
            "check the kubeconfig's address and certificate authority."
        )
        return InvalidRequest(sentence)
    if _NO_POD.search(last):
        return TryAgain(f"No pod answers there on {context} ({last}); see `perennial status`.")
    if _UNREACHABLE.search(last):
        return TryAgain(f"The cluster of {context} does not answer ({last}); see whether it is up.")
    return _refused(stderr, lines, last, context)


def _refused(stderr: str, lines: list[str], last: str, context: str) -> PerennialError:
    refused = next((line for line in lines if "(Forbidden)" in line or "forbidden" in line), None)
    if refused:
        sentence = (
            f"The cluster of {context} refused the request: {' '.join(refused.split())[:_CHARACTERS]}; "
            "ask its admin for the right."
        )
        return InvalidRequest(sentence)
    if "Unauthorized" in stderr or "must be logged in" in stderr:
        return InvalidRequest(f"The cluster of {context} refused your credentials; log in again.")
    if "(NotFound)" in stderr:
        return NotFound(f"The cluster of {context} has no such resource: {last}")
    if _KUBECONFIG.search(stderr):
        return InvalidRequest(f"Your kubeconfig cannot be read: {last}")
    if _LATER.search(stderr):
        return TryAgain(f"The cluster of {context} cannot do it now: {last}")
    return InvalidRequest(f"kubectl failed: {last}")
