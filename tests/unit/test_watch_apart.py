"""The watchdog stands apart: nothing of Faust in it, and it knows what the workers really read."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.app import WATCHDOG, WORKERS, run_role, usual_roles
from streams.ending import CannotStart
from streams.groups import app_id, topics_read
from streams.settings import WATCHABLE, WATCHED, InvalidSettings, read_settings
from tests.e2e.product import journal_in

KAFKA = {"INOWATCH_KAFKA": "127.0.0.1:9"}


def test_every_worker_is_watched() -> None:
    """A role that is added to the workers is watched too."""
    assert set(WATCHABLE) == set(WORKERS)


@pytest.mark.parametrize("role", WATCHABLE)
def test_it_watches_what_the_workers_read(role: str, tmp_path: Path) -> None:
    """The topics whose offsets are looked at are those that the role's agents subscribe to."""
    env = KAFKA | {"INOWATCH_STORE": f"sqlite:///{tmp_path}/store.sqlite"} | journal_in(tmp_path)
    settings = read_settings(env)
    app = WORKERS[role](settings)
    read = {topic for agent in app.agents.values() for topic in agent.get_topic_names()}
    assert set(topics_read(role, settings.topics)) == read
    assert app_id(role, settings) == app.conf.id


def loaded(modules: str) -> set[str]:
    """Load modules in a process of its own; return what of Faust came with them."""
    code = f"import sys, {modules}\nprint(*({{'faust', 'aiokafka', 'mode'}} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_it_loads_no_faust() -> None:
    """Neither the watchdog nor what starts it, or shows the same, loads Faust or its client."""
    assert loaded("streams.cli, streams.app, streams.supervise, streams.watch.role") == set()
    assert loaded("streams.cli, streams.watch.status_command") == set()
    assert "faust" in loaded("streams.worker"), "the same question finds it where it is"


def test_a_site_may_run_less() -> None:
    """Which roles are expected is a setting; a word that is no role is refused by name."""
    assert read_settings(KAFKA).watched == WATCHED
    assert usual_roles(read_settings(KAFKA)) == (*WATCHED, WATCHDOG)
    fewer = read_settings(KAFKA | {"INOWATCH_WATCHED": "monitor, pager"})
    assert fewer.watched == ("monitor", "pager")
    with pytest.raises(InvalidSettings, match="INOWATCH_WATCHED: of monitor, recorder"):
        read_settings(KAFKA | {"INOWATCH_WATCHED": "monitor,nurse"})


def test_a_journal_needs_a_folder_and_a_key(tmp_path: Path) -> None:
    """With a folder the journal is one of the roles, and watched; without one nothing is."""
    settings = read_settings(KAFKA | journal_in(tmp_path))
    assert settings.watched == WATCHABLE
    assert usual_roles(settings) == (*WATCHABLE, WATCHDOG)
    with pytest.raises(InvalidSettings, match="needs INOWATCH_JOURNAL_KEY_FILE"):
        read_settings(KAFKA | {"INOWATCH_JOURNAL": str(tmp_path)})
    with pytest.raises(CannotStart, match="the journal needs INOWATCH_JOURNAL"):
        run_role("journal", read_settings(KAFKA))
