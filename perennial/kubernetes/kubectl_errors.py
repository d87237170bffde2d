"""What kubectl says where it could not, as one sentence with the right exit code."""

import re

from contract.errors import AskedWrongly, NotFound, PerennialError, TryAgain

_AWAY = re.compile(
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


def complaint(said: str, where: str) -> PerennialError:
    """Return the error that kubectl's words mean; `where` names the context.

    >>> complaint('error: context "work" does not exist', "the context 'work'")
    AskedWrongly("There is no context 'work' in your kubeconfig; see `kubectl config get-contexts`.")
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # The client repeats its failures with a time stamp; the last line is the one for people.
    last = " ".join((lines[-1] if lines else "it said nothing").split())[:_CHARACTERS]
    unknown = _NO_CONTEXT.search(said)
    if unknown:
        name = unknown[1] or unknown[2]
        sentence = (
            f"There is no context {name!r} in your kubeconfig; see `kubectl config get-contexts`."
        )
        return AskedWrongly(sentence)
    if _NO_CLUSTER.search(said):
        sentence = (
            "kubectl knows no cluster; set KUBECONFIG, or name one by --context "
            "(see `kubectl config get-contexts`)."
        )
        return AskedWrongly(sentence)
    certificate = _CERTIFICATE.search(last)
    if certificate:
        sentence = (
            f"The server of {where} could not prove who it is ({certificate[1]}); "
            "see the kubeconfig's address and its certificate authority."
        )
        return AskedWrongly(sentence)
    if _NO_POD.search(last):
        return TryAgain(f"No pod answers behind it on {where} ({last}); see `perennial status`.")
    if _AWAY.search(last):
        return TryAgain(f"The cluster of {where} does not answer ({last}); see whether it is up.")
    return _refused(said, lines, last, where)


def _refused(said: str, lines: list[str], last: str, where: str) -> PerennialError:
    refused = next((line for line in lines if "(Forbidden)" in line or "forbidden" in line), None)
    if refused:
        sentence = (
            f"The cluster of {where} refused it: {' '.join(refused.split())[:_CHARACTERS]}; "
            "ask its admin for the right."
        )
        return AskedWrongly(sentence)
    if "Unauthorized" in said or "must be logged in" in said:
        return AskedWrongly(f"The cluster of {where} refused your credentials; log in again.")
    if "(NotFound)" in said:
        return NotFound(f"The cluster of {where} has not what was asked for: {last}")
    if _KUBECONFIG.search(said):
        return AskedWrongly(f"Your kubeconfig cannot be read: {last}")
    if _LATER.search(said):
        return TryAgain(f"The cluster of {where} could not do it now: {last}")
    return AskedWrongly(f"kubectl could not do it: {last}")
