"""Send a message to one channel: Slack, e-mail, or a signed webhook.

Addresses and keys come from the environment by the names of the problem file. A request that is not
taken is repeated where that may help: no answer, 429, or an error of the server's own.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from contract.problem import Channel, EmailChannel, SlackChannel, WebhookChannel

SECONDS = 5  # of one request
PAUSES = (1.0, 5.0)  # seconds before the second and the third try; the outbox keeps it for later
SECRET_PREFIX = "whsec_"  # noqa: S105 - what the specification writes before a key, not a key


class NotDeliveredError(Exception):
    """A channel did not take a message; the sentence holds no address and no secret."""


def send(
    channel: Channel,
    text: str,
    body: Mapping[str, Any],
    message_id: str,
    pauses: Sequence[float] = PAUSES,
) -> str:
    """Send one message and return what the channel answered.

    `text` is for people, `body` for programs.

    Raises:
        NotDeliveredError: the channel did not take it, or its address is not set.
    """
    match channel:
        case SlackChannel():
            return _post(channel.url, json.dumps({"text": text}).encode(), {}, pauses)
        case WebhookChannel():
            content = json.dumps(dict(body)).encode()
            key = _value(channel.secret) if channel.secret else None
            headers = signed_headers(key, message_id, int(time.time()), content)
            return _post(channel.url, content, headers, pauses)
        case EmailChannel():
            return _mail(channel, text)


def signed_headers(key: str | None, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of the Standard Webhooks specification; without a key no signature.

    The signature is HMAC-SHA256 over id, timestamp (seconds since 1970) and body, so that a receiver
    can refuse what is old or was sent before. Source: https://www.standardwebhooks.com.
    """
    # Some servers refuse a header that is not ASCII.
    plain = hashlib.sha256(message_id.encode()).hexdigest()[:32]
    headers = {"webhook-id": plain, "webhook-timestamp": str(timestamp)}
    if key is not None:
        signed = f"{plain}.{timestamp}.".encode() + body
        digest = hmac.new(_key_bytes(key), signed, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def _key_bytes(key: str) -> bytes:
    """Return the key: Base64 behind `whsec_`, else the text itself."""
    if not key.startswith(SECRET_PREFIX):
        return key.encode()
    try:
        return base64.b64decode(key.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        sentence = f"The key behind {SECRET_PREFIX} is no Base64; write it as it was given."
        raise NotDeliveredError(sentence) from error


def _post(
    variable: str, content: bytes, headers: Mapping[str, str], pauses: Sequence[float]
) -> str:
    """Send one POST; `variable` names the environment's variable that holds the address."""
    url = _value(variable)
    if not url.startswith(("http://", "https://")):
        sentence = f"${variable} is no http address; give one that begins with https://."
        raise NotDeliveredError(sentence)
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        url, content, {"Content-Type": "application/json", **headers}
    )
    for pause in (*pauses, None):
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - as above
                return f"HTTP {answer.status}"
        except urllib.error.HTTPError as error:
            found = f"HTTP Error {error.code}"
            may_help = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR
            may_help = may_help or error.code == HTTPStatus.TOO_MANY_REQUESTS
        except OSError as error:
            # A URLError may quote the address, which is a secret.
            reason = getattr(error, "reason", error)
            found, may_help = f"no answer ({type(reason).__name__})", True
        if pause is None or not may_help:
            break
        time.sleep(pause)
    sentence = f"${variable} did not take the alarm: {found}; check the address."
    raise NotDeliveredError(sentence)


def _mail(channel: EmailChannel, text: str) -> str:
    """Send an e-mail by Airflow's notifier, which reads the connection."""
    from airflow.providers.smtp.notifications.smtp import (  # noqa: PLC0415 - 0.2 CPU-s
        SmtpNotifier,
    )

    _value(channel.connection)
    subject, _, _ = text.partition("\n")
    notifier = SmtpNotifier(
        to=list(channel.to),
        from_email=channel.sender,
        subject=subject[:200],
        html_content=_html(text),
        smtp_conn_id=channel.connection_id,
    )
    try:
        notifier.notify({})
    except Exception as error:
        # The provider raises errors of smtplib, of its own and of sockets; none may hold a password.
        sentence = (
            f"The SMTP server of ${channel.connection} did not take it ({type(error).__name__}); "
            "check the connection, and the sender."
        )
        raise NotDeliveredError(sentence) from error
    return f"taken for {', '.join(channel.to)}"


def _html(text: str) -> str:
    from html import escape  # noqa: PLC0415 - with the notifier alone

    return "<br>\n".join(escape(line) for line in text.splitlines())


def _value(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        sentence = (
            f"${variable} is not set where Airflow runs; set it, then `perennial down` and "
            "`perennial up`."
        )
        raise NotDeliveredError(sentence)
    return value
