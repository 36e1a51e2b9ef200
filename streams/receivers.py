"""The receivers that a site has named: settings to sinks, the same for everyone who tells."""

from collections.abc import Iterator

from alerts.sinks.alertmanager import Alertmanager
from alerts.sinks.pagerduty import PagerDuty
from alerts.sinks.port import Sink
from alerts.sinks.webhook import Webhook
from streams.secret_file import secret_in
from streams.settings import Settings


def receivers(settings: Settings) -> Iterator[Sink]:
    """Make a sink for each receiver. Raises ``ValueError`` for one that cannot be sent to.

    Their secrets are read here: only by those who tell, who alone have to be able to.
    """
    if settings.pagerduty_key_file is not None:
        yield PagerDuty(secret_in(settings.pagerduty_key_file), base=settings.pagerduty_url)
    if settings.webhook_url is not None and settings.webhook_secret_file is not None:
        yield Webhook(settings.webhook_url, secret_in(settings.webhook_secret_file))
    if settings.alertmanager_url is not None:
        token_file = settings.alertmanager_token_file
        token = None if token_file is None else secret_in(token_file)
        ca_file = settings.alertmanager_ca_file
        yield Alertmanager(settings.alertmanager_url, token, ca_file=ca_file)
