"""A change of profile, live: judged by from then on, and kept with who, when, old and new."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.profile_change import ProfileChange
from streams.stores.open import open_store
from streams.stores.points import record_of
from tests.e2e.product import eventually, product

WEST = """
name = "west"
version = "7"
inherits = "strict"
units = ["u-west"]

[set_dose_high]
limit_ppm = { value = 15.0, bound = ">", source = "local protocol" }
"""


def test_a_profile_is_changed_while_the_monitor_runs(kafka: str, tmp_path: Path) -> None:
    """A unit's own profile judges its patients; a course record names another, which is noted."""
    site_profiles = tmp_path / "profiles"
    site_profiles.mkdir()
    site_profiles.joinpath("west.toml").write_text(WEST)
    start = datetime.now(UTC) - timedelta(minutes=2)
    samples = [
        {
            "type": "telemetry",
            "time": (start + timedelta(seconds=second)).isoformat(),
            "device": "d1",
            "patient": "p",
            "unit": "u-west",
            "bed": "1",
            "mode": "delivering",
            "set_ppm": 18,
        }
        for second in range(60)
    ]
    with product(kafka, tmp_path, {"INOWATCH_PROFILES": str(site_profiles)}) as site:
        site.send(samples)
        site.start("monitor", "recorder")
        raised = eventually(lambda: [a for a in site.alerts() if a.rule == "set-dose-high"])
        assert [(a.phase, a.limit, a.profile) for a in raised] == [("raised", 15.0, "west")]
        assert raised[0].rules_version.endswith("+west.7")
        now = datetime.now(UTC).isoformat()
        record = {"type": "course", "id": "c1", "patient": "p", "profile": "default", "by": "dr-7"}
        site.send([record | {"time": now}])

        def cleared() -> list[str]:
            return [a.phase for a in site.alerts() if a.rule == "set-dose-high"]

        assert eventually(lambda: len(cleared()) > 1)
        assert cleared() == ["raised", "cleared"]

        def kept() -> list[ProfileChange]:
            store = open_store(site.settings.store)
            points = store.read("profile_change", start, datetime(2100, 1, 1, tzinfo=UTC))
            records = [record_of(point) for point in points]
            store.close()
            return [change for change in records if isinstance(change, ProfileChange)]

        [change] = eventually(kept)
        assert (change.by, change.record, change.cause) == ("dr-7", "c1", "course")
        assert change.old.endswith("+west.7")
        assert change.new.endswith("+default.1")
