import pytest

from contract.errors import InvalidRequest, NotFound, PerennialError, TryAgain
from perennial.kubernetes import kubectl_errors

# Printed by kubectl 1.32 and 1.34.
EXAMPLES = [
    (
        'Error in configuration: context "wrk" does not exist\n',
        InvalidRequest,
        "There is no context 'wrk' in your kubeconfig; see `kubectl config get-contexts`.",
    ),
    (
        (
            "E1124 memcache.go:265] couldn't get current server API group list\n"
            "The connection to the server localhost:8080 was refused - did you specify the right host"
        ),
        InvalidRequest,
        "kubectl knows no cluster; set KUBECONFIG, or name one by --context",
    ),
    (
        "Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout\n",
        TryAgain,
        "does not answer (Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout)",
    ),
    (
        "The connection to the server 127.0.0.1:1 was refused - did you specify the right port?\n",
        TryAgain,
        "The cluster of the context 'work' does not answer",
    ),
    (
        (
            "Unable to connect to the server: tls: failed to verify certificate: x509: certificate "
            "signed by unknown authority\n"
        ),
        InvalidRequest,
        "has an invalid certificate (certificate signed by unknown authority)",
    ),
    (
        (
            'Error from server (Forbidden): deployments.apps is forbidden: User "eve" cannot list '
            'resource "deployments"\n'
        ),
        InvalidRequest,
        'refused the request: Error from server (Forbidden): deployments.apps is forbidden: User "eve"',
    ),
    (
        "error: You must be logged in to the server (Unauthorized)\n",
        InvalidRequest,
        "refused your credentials; log in again.",
    ),
    ('Error from server (NotFound): secrets "x" not found\n', NotFound, 'secrets "x" not found'),
    (
        "Error from server (ServiceUnavailable): the server is currently unable to handle it\n",
        TryAgain,
        "cannot do it now",
    ),
    (
        "error: unable to forward port because pod is not running. Current status=Pending\n",
        TryAgain,
        "No pod answers there",
    ),
    ("error: something new\n", InvalidRequest, "kubectl failed: error: something new"),
    ("", InvalidRequest, "kubectl failed: it left no message"),
]


@pytest.mark.parametrize(("stderr", "kind", "sentence"), EXAMPLES)
def test_an_error_of_kubectl_is_one_sentence_with_its_exit_code(
    stderr: str, kind: type[PerennialError], sentence: str
) -> None:
    error = kubectl_errors.parse(stderr, "the context 'work'")

    assert type(error) is kind
    assert sentence in str(error)
    assert "\n" not in str(error)
