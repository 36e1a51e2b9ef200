"""Whatever setting names a secret's file: one rule who may read it, and one sentence if not."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.grafana.settings import read_grafana_settings
from streams.kafka_settings import read_access
from streams.receivers import receivers
from streams.secret_file import open_to_others
from streams.settings import InvalidSettings, Settings, read_settings
from streams.stores.open import open_store

CANARY = "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"
"""Fit for every receiver: 32 characters, base64 of 24 bytes."""
KAFKA = {"INOWATCH_KAFKA": "one:9093"}
TELLS = {
    "INOWATCH_PAGERDUTY_KEY_FILE": {},
    "INOWATCH_WEBHOOK_SECRET_FILE": {"INOWATCH_WEBHOOK_URL": "https://house.example/hook"},
    "INOWATCH_ALERTMANAGER_TOKEN_FILE": {"INOWATCH_ALERTMANAGER_URL": "https://house.example"},
}
"""What the receivers' secrets are for."""


def _of_kafka(name: str, path: Path) -> str:
    login = {"INOWATCH_KAFKA_SECURITY": "sasl_ssl", "INOWATCH_KAFKA_USER": "ward"}
    return "\n".join(read_access(KAFKA | login | {name: str(path)})[1])


def _of_workers(name: str, path: Path) -> str:
    with pytest.raises(InvalidSettings) as wrong:
        read_settings(KAFKA | {name: str(path)})
    return str(wrong.value)


def _of_grafana(name: str, path: Path) -> str:
    with pytest.raises(InvalidSettings) as wrong:
        read_grafana_settings({name: str(path)}, pushing=True)
    return str(wrong.value)


def _of_the_store(name: str, path: Path) -> str:
    with pytest.raises(ValueError, match="token file") as wrong:
        open_store(f"influxdb://none.example/org/bucket?{name}={path}")
    return str(wrong.value)


Read = Callable[[str, Path], str]
READ_BY: dict[str, Read] = {
    "INOWATCH_KAFKA_PASSWORD_FILE": _of_kafka,
    **dict.fromkeys(TELLS, _of_workers),
    "INOWATCH_JOURNAL_KEY_FILE": _of_workers,
    "INOWATCH_GRAFANA_TOKEN_FILE": _of_grafana,
    "INOWATCH_GRAFANA_INFLUXDB_TOKEN_FILE": _of_grafana,
    "token-file": _of_the_store,
}


def secret(tmp_path: Path, mode: int = 0o600, text: str = CANARY) -> Path:
    """Make a file of a secret."""
    path = tmp_path / "secret"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("name", READ_BY)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o602], ids=oct)
def test_nobody_else_may_read_it(name: str, mode: int, tmp_path: Path) -> None:
    """A secret of one's own that others may read or change is refused, with the cure for it."""
    path = secret(tmp_path, mode)
    said = READ_BY[name](name, path)
    assert f"{path}: others may read or change it (mode {mode:o}): chmod 600 {path}" in said
    assert CANARY not in said


@pytest.mark.parametrize("name", READ_BY)
def test_a_file_that_is_none(name: str, tmp_path: Path) -> None:
    """What is not there, or is a folder, is named."""
    for path in (tmp_path / "nowhere", tmp_path):
        assert f"{path}: no such file" in READ_BY[name](name, path)


@pytest.mark.parametrize(
    ("mode", "mine", "is_fit"),
    [
        (0o600, True, True),
        (0o400, True, True),
        (0o440, True, False),
        (0o400, False, True),
        (0o440, False, True),
        (0o640, False, True),
        (0o660, False, False),
        (0o444, False, False),
    ],
)
def test_a_mounted_secret(mode: int, mine: bool, is_fit: bool) -> None:  # noqa: FBT001 - a table
    """What another has put there is read as its group, and by nobody beyond."""
    owner = os.geteuid() if mine else os.geteuid() + 1
    found = os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, 0, 1, 0, 0, 0))
    said = open_to_others(Path("mounted"), found)
    assert (said is None) is is_fit
    assert said is None or ("chmod 600" in said) is mine


def told(name: str, path: Path) -> Settings:
    """Return the settings of a site that tells with this secret."""
    return read_settings(KAFKA | TELLS[name] | {name: str(path)})


@pytest.mark.parametrize("name", TELLS)
def test_only_who_tells_reads(name: str, tmp_path: Path) -> None:
    """A receiver's secret is taken when it is fit; who does not tell asks for nothing of it."""
    (sink,) = receivers(told(name, secret(tmp_path, text=f"{CANARY}\n")))
    assert CANARY not in repr(sink)
    for text, fault in (("", "it is empty"), (f"{CANARY} {CANARY}", "must hold one word")):
        settings = told(name, secret(tmp_path, text=text))
        with pytest.raises(ValueError, match=fault) as wrong:
            list(receivers(settings))
        assert CANARY not in str(wrong.value)
