"""What a site decides: read from the environment once, checked as a whole, with named faults.

Secrets are never settings: a setting names the file that holds one.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from alerts.policy import InvalidPolicy
from alerts.policy_reading import load_policies
from alerts.profile_book import InvalidProfile, ProfileBook, packaged
from deploy.kafka.access import KafkaAccess
from schemas.alert import PRIORITIES, Priority
from schemas.topics import Topics
from streams.clock import Clock, parse_clock
from streams.kafka_settings import read_access
from streams.secret_file import exposed

_CA_FILE = "INOWATCH_ALERTMANAGER_CA_FILE"
_PREFIX = re.compile(r"[A-Za-z0-9._-]{1,100}")
WATCHED = ("monitor", "recorder", "pager", "board")
"""The roles that read from Kafka, so that the watchdog can see from outside how they fare."""
WATCHABLE = (*WATCHED, "journal")
"""With the one that a site may do without."""


class InvalidSettings(ValueError):
    """Settings that cannot be run with. The message lists every fault, one a line."""


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of one process.

    ``instance`` tells workers of one role apart (static membership): stable over restarts.
    ``book`` has the profiles that there are: the product's, and those of INOWATCH_PROFILES.
    ``clock`` is a ``FastClock`` as text, empty for the wall clock. ``watched`` are the roles that
    the watchdog expects to run. ``journal`` is the folder of the audit journal, if there is one,
    and ``anchors`` the file of its anchors.
    """

    kafka: KafkaAccess
    prefix: str = "ino"
    partitions: int = 4
    replication: int = 1
    instance: str = "0"
    profile: str = "default"
    book: ProfileBook
    store: str = "sqlite:inowatch.sqlite"
    clock_text: str = ""
    board_host: str = "127.0.0.1"
    board_port: int = 8080
    pagerduty_key_file: Path | None = None
    pagerduty_url: str = "https://events.pagerduty.com"
    webhook_url: str | None = None
    webhook_secret_file: Path | None = None
    alertmanager_url: str | None = None
    alertmanager_token_file: Path | None = None
    alertmanager_ca_file: Path | None = None
    page_from: Priority = "low"
    terminal: bool = False
    watched: tuple[str, ...] = WATCHED
    heartbeat_url: str | None = None
    journal: Path | None = None
    journal_key_file: Path | None = None
    anchors: Path | None = None

    @property
    def topics(self) -> Topics:
        """The topic names under this site's prefix."""
        return Topics(self.prefix)

    @property
    def clock(self) -> Clock:
        """The clock that ticks carry."""
        return parse_clock(self.clock_text)


def read_settings(env: Mapping[str, str]) -> Settings:  # noqa: C901 - one line of a list a setting
    """Read ``INOWATCH_*``. Raises ``InvalidSettings`` with all faults at once."""
    kafka, faults = read_access(env)

    def number(name: str, default: int, least: int, most: int) -> int:
        text = env.get(name, str(default))
        if not text.isdecimal() or not least <= int(text) <= most:
            faults.append(f"{name}={text!r}: a whole number from {least} to {most}")
            return default
        return int(text)

    def secret(name: str) -> Path | None:
        path = Path(env[name]) if env.get(name) else None
        fault = None if path is None else exposed(path)
        if fault is not None:
            faults.append(f"{name}={path}: {fault}")
        return path

    ca_file = Path(env[_CA_FILE]) if env.get(_CA_FILE) else None
    if ca_file is not None and not ca_file.is_file():
        faults.append(f"{_CA_FILE}={ca_file}: no such file")
    page_from = next((p for p in PRIORITIES if p == env.get("INOWATCH_PAGE_FROM", "low")), None)
    if page_from is None:
        faults.append(f"INOWATCH_PAGE_FROM: one of {', '.join(PRIORITIES)}")
    profile, book = env.get("INOWATCH_PROFILE", "default"), packaged()
    try:
        if env.get("INOWATCH_PROFILES"):
            book = ProfileBook(Path(env["INOWATCH_PROFILES"]))
        book.named(profile)
    except InvalidProfile as wrong:
        faults.append(f"INOWATCH_PROFILE, INOWATCH_PROFILES:\n{wrong}")
    journal = Path(env["INOWATCH_JOURNAL"]) if env.get("INOWATCH_JOURNAL") else None
    expected = WATCHED if journal is None else WATCHABLE
    watched = tuple(env.get("INOWATCH_WATCHED", ",".join(expected)).replace(" ", "").split(","))
    if not set(watched) <= set(WATCHABLE):
        faults.append(f"INOWATCH_WATCHED: of {', '.join(WATCHABLE)}, with commas")
    settings = Settings(
        kafka=kafka,
        prefix=env.get("INOWATCH_PREFIX", "ino"),
        partitions=number("INOWATCH_PARTITIONS", 4, 1, 10_000),
        replication=number("INOWATCH_REPLICATION", 1, 1, 9),
        instance=env.get("INOWATCH_INSTANCE", "0"),
        profile=profile,
        book=book,
        store=env.get("INOWATCH_STORE", "sqlite:inowatch.sqlite"),
        clock_text=env.get("INOWATCH_CLOCK", ""),
        board_host=env.get("INOWATCH_BOARD_HOST", "127.0.0.1"),
        board_port=number("INOWATCH_BOARD_PORT", 8080, 0, 65_535),
        pagerduty_key_file=secret("INOWATCH_PAGERDUTY_KEY_FILE"),
        pagerduty_url=env.get("INOWATCH_PAGERDUTY_URL", "https://events.pagerduty.com"),
        webhook_url=env.get("INOWATCH_WEBHOOK_URL"),
        webhook_secret_file=secret("INOWATCH_WEBHOOK_SECRET_FILE"),
        alertmanager_url=env.get("INOWATCH_ALERTMANAGER_URL") or None,
        alertmanager_token_file=secret("INOWATCH_ALERTMANAGER_TOKEN_FILE"),
        alertmanager_ca_file=ca_file,
        page_from=page_from or "low",
        terminal=env.get("INOWATCH_TERMINAL") == "1",
        watched=watched,
        heartbeat_url=env.get("INOWATCH_HEARTBEAT_URL"),
        journal=journal,
        journal_key_file=secret("INOWATCH_JOURNAL_KEY_FILE"),
        anchors=Path(env["INOWATCH_ANCHORS"]) if env.get("INOWATCH_ANCHORS") else None,
    )
    if not _PREFIX.fullmatch(settings.prefix):
        faults.append(f"INOWATCH_PREFIX={settings.prefix!r}: letters, digits, . _ - (at most 100)")
    if settings.webhook_url and settings.webhook_secret_file is None:
        faults.append("INOWATCH_WEBHOOK_URL needs INOWATCH_WEBHOOK_SECRET_FILE to sign with")
    if journal is not None and settings.journal_key_file is None:
        faults.append("INOWATCH_JOURNAL needs INOWATCH_JOURNAL_KEY_FILE to seal with")
    try:
        load_policies()
    except InvalidPolicy as wrong:
        faults.append(f"payers' policies: {wrong}")
    try:
        parse_clock(settings.clock_text)
    except ValueError as wrong:
        faults.append(f"INOWATCH_CLOCK: {wrong}")
    if faults:
        raise InvalidSettings("\n".join(faults))
    return settings
