"""HTTP probe of a local port, for readiness checks.

It uses the standard library, not httpx as the rest of `perennial`: the supervisor is resident, and
`import httpx` would add 9 MiB to its 21 MiB of private pages.
"""

import http.client

from perennial.local.ports import LOOPBACK

PROBE_SECONDS = 2.0


def probe(
    port: int, path: str, *, method: str = "GET", seconds: float = PROBE_SECONDS
) -> tuple[int, bytes] | None:
    """Return status and body of the response; None where there is no answer within `seconds`."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=seconds)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
