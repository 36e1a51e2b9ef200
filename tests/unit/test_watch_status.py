"""What `inowatch status` writes, and with which exit code, where no Kafka is needed to know."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from streams.watch.observation import Receiver, Untold
from streams.watch.status_command import ClockStatus, RoleStatus, Status, table

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
CLOSED = "127.0.0.1:9"


def ago(seconds: float) -> datetime:
    """Tell the time that long before the look."""
    return AT - timedelta(seconds=seconds)


def inowatch(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``inowatch status`` with these settings and no others."""
    others = {name: value for name, value in os.environ.items() if "INOWATCH" not in name}
    command = [sys.executable, "-m", "streams.cli", "status", *words]
    return subprocess.run(
        command, env=others | env, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_table() -> None:
    """Faults come first, each a line; then roles, clock, sinks and what nobody was told of."""
    found = Status(
        at=AT,
        well=False,
        faults=["no tick for 42 s in ino.labs/0 (limit 30 s)"],
        roles=[RoleStatus("monitor", 1, 1234, 42.1), RoleStatus("pager", 0, 0, 0.0)],
        clock=[ClockStatus("ino.labs", 0, 42.0), ClockStatus("ino.labs", 1, None)],
        sinks=(
            Receiver(sink="pagerduty", told=ago(3), failing=None, refuses=False, reason=""),
            Receiver(sink="webhook", told=None, failing=ago(75), refuses=False, reason="503 no"),
        ),
        undelivered=(
            Untold(
                alert="0af3", rule="abrupt-stop", phase="raised", priority="high", since=ago(61)
            ),
        ),
    )
    assert "\n".join(table(found)) == (
        "NOT WELL: no tick for 42 s in ino.labs/0 (limit 30 s)\n"
        "\n"
        "role     running  waiting  for\n"
        "monitor  1        1234     42.1 s\n"
        "pager    0        0        0.0 s\n"
        "\n"
        "partition   last tick\n"
        "ino.labs/0  42.0 s\n"
        "ino.labs/1  never\n"
        "\n"
        "sink       last told  trouble\n"
        "pagerduty  3 s ago    -\n"
        "webhook    -          for 75 s: 503 no\n"
        "\n"
        "told to nobody  phase   priority  for   alert\n"
        "abrupt-stop     raised  high      61 s  0af3"
    )


def test_the_table_of_what_is_well() -> None:
    """What is well says so, and nothing stands there that is empty."""
    assert list(table(Status(AT, True, [], [], [], (), ()))) == ["well"]


def test_wrong_use(tmp_path: Path) -> None:
    """A form that there is not, no setting, and a receiver that is not safe: 2, and a reason."""
    secret = tmp_path / "secret"
    secret.write_text("whsec_" + "A" * 44)
    secret.chmod(0o600)
    unsafe = {
        "INOWATCH_WEBHOOK_URL": "http://example.org/x",
        "INOWATCH_WEBHOOK_SECRET_FILE": str(secret),
    }
    for done, reason in (
        (inowatch("--format", "xml", INOWATCH_KAFKA=CLOSED), "'xml'"),
        (inowatch(), "INOWATCH_KAFKA"),
        (inowatch(INOWATCH_KAFKA=CLOSED, **unsafe), "https"),
    ):
        assert done.returncode == 2
        assert reason in done.stderr
        assert done.stdout == ""
