"""The name by which a consumer group knows a worker: what keeps its place, and what does not."""

import pytest

from schemas.topics import Topics
from streams import worker
from streams.settings import WATCHABLE, read_settings
from streams.worker import new_app

RUNNING = {"INOWATCH_KAFKA": "127.0.0.1:9", "INOWATCH_INSTANCE": "pod-1"}


def name(role: str, **changed: str) -> str:
    """Return the name of a worker that starts now."""
    settings = read_settings(RUNNING | {f"INOWATCH_{key}": value for key, value in changed.items()})
    told: str = new_app(role, settings).conf.consumer_group_instance_id
    return told


@pytest.mark.parametrize("role", WATCHABLE)
def test_a_restart_keeps_the_name(role: str) -> None:
    """Whoever starts with the same topics is the same member, so two of one instance are one."""
    assert name(role) == name(role, BOARD_PORT="0", PROFILE="strict")
    assert name(role).startswith(f"ino-{role}-pod-1-")
    assert name(role) != name(role, INSTANCE="pod-2")


def test_a_topic_more_makes_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that reads one topic more is another member; the way back is the first again."""
    newer, monitor = name("recorder"), name("monitor")
    with monkeypatch.context() as before:
        before.setattr(Topics, "health", Topics.anchors)
        assert name("recorder") != newer
        assert name("monitor") == monitor, "who reads the same stays who it is"
    assert name("recorder") == newer


def test_a_table_more_makes_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changelogs of tables are read as well: they count."""
    newer = name("board")
    monkeypatch.setattr(worker, "own_topics", lambda _role, _settings: {})
    assert name("board") != newer
