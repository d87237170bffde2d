"""Whom the product tells, and by which channel; addresses and secrets stay in the environment."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contract.problem.section import Section
from contract.problem.sources.base import EnvironmentName
from contract.problem.units import Duration

CONNECTION_PREFIX = "AIRFLOW_CONN_"
ConnectionName = Annotated[
    str, StringConstraints(pattern=rf"^{CONNECTION_PREFIX}[A-Z0-9_]+$", max_length=120)
]
ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
MailAddress = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


class SlackChannel(Section):
    """A channel of Slack, by an incoming webhook; Mattermost and others take the same message."""

    kind: Literal["slack"]
    url: EnvironmentName
    """The environment's name that holds the webhook's address: whoever knows it may post."""

    def environment_names(self) -> frozenset[str]:
        """Return the name of the address."""
        return frozenset({self.url})


class EmailChannel(Section):
    """E-mail, by Airflow's own notifier."""

    kind: Literal["email"]
    to: Annotated[tuple[MailAddress, ...], Field(min_length=1)]
    """Who gets it."""
    sender: MailAddress | None = None
    """The address that it comes from; default: the connection's `from_email`."""
    connection: ConnectionName = f"{CONNECTION_PREFIX}SMTP_DEFAULT"
    """The environment's name that holds Airflow's connection to the SMTP server."""

    def environment_names(self) -> frozenset[str]:
        """Return the name of the connection."""
        return frozenset({self.connection})

    @property
    def connection_id(self) -> str:
        """The connection as Airflow names it."""
        return self.connection.removeprefix(CONNECTION_PREFIX).lower()


class WebhookChannel(Section):
    """A POST of JSON to a service of one's own, signed after the Standard Webhooks specification."""

    kind: Literal["webhook"]
    url: EnvironmentName
    """The environment's name that holds the address."""
    secret: EnvironmentName | None = None
    """The environment's name that holds the key of the signature; absent: it is not signed."""

    def environment_names(self) -> frozenset[str]:
        """Return the names of the address and of the key."""
        return frozenset({self.url} | ({self.secret} if self.secret else set()))


Channel = Annotated[
    SlackChannel | EmailChannel | WebhookChannel,
    Field(discriminator="kind"),
]


class Alerts(Section):
    """Whom to tell that something needs a person: once when it begins, weekly while it lasts."""

    channels: dict[ChannelName, Channel] = Field(default_factory=dict)
    """Any number, each by a name of its own; `perennial alert NAME --test` tries them all."""
    after: Duration = timedelta(hours=3)
    """After `monitoring.at`: a day that has no verdict by then is an alert of its own."""
    data_age: Duration = timedelta(days=7)
    """The main source has had no new rows for so long: one week outlasts a holiday."""

    def environment_names(self) -> frozenset[str]:
        """Return the names of the environment that the channels need."""
        names = [channel.environment_names() for channel in self.channels.values()]
        return frozenset().union(*names)
