"""What a hospital's network does to a monitor: huge records, topics made anew, two workers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from streams.deploy_command import make_topics
from streams.packed import unpacked
from tests.e2e.product import Product, eventually, product
from tests.e2e.test_pager_and_board import high_dose

HUGE = 900_000


def raised(site: Product) -> set[str]:
    """Return the patients whose dose was found to be high."""
    return {a.patient for a in site.alerts() if (a.rule, a.phase) == ("set-dose-high", "raised")}


def test_a_huge_record_stops_nothing(kafka: str, tmp_path: Path) -> None:
    """A record near the broker's own limit is refused and kept, and judging goes on."""
    with product(kafka, tmp_path) as site:
        site.start("monitor", "recorder")
        producer = KafkaProducer(bootstrap_servers=kafka, compression_type="gzip")
        for key, value in ((b"p", b"x" * HUGE), (b"k" * HUGE, b"{}"), (b"p", b"y" * 3 * HUGE)):
            # The producer counts before it compresses; the broker counts after.
            producer.config["max_request_size"] = 16 * HUGE
            producer.send(site.topics.telemetry, key=key, value=value)
        producer.close()
        site.send(high_dose("after"))
        assert eventually(lambda: raised(site)) == {"after"}
        letters = eventually(lambda: found if len(found := site.dead_letters()) == 3 else [])
        assert {len(letter.value or b"") for letter in letters} >= {HUGE, 3 * HUGE}
        assert "giving up" not in site.log_of("monitor")


def written_down(site: Product, patient: str) -> bool:
    """Whether the monitor has written a patient's state into its changelog."""
    changelog = f"{site.settings.prefix}-monitor-states-changelog"
    states = (value for value in site.read(changelog) if not value.startswith(b"{"))
    return any(unpacked(value).patient == patient for value in states)


def test_topics_made_anew(kafka: str, tmp_path: Path) -> None:
    """Offsets of a topic that is gone do not hide the records of the one made in its place."""
    with product(kafka, tmp_path) as site:
        site.start("monitor")
        start = datetime.now(UTC) - timedelta(minutes=5)
        calm = [record | {"set_ppm": 20} for record in high_dose("p")]
        for lap in range(10):
            times = (start + timedelta(seconds=lap * 20 + i) for i in range(len(calm)))
            site.send(
                record | {"time": time.isoformat()}
                for record, time in zip(calm, times, strict=True)
            )
        assert eventually(lambda: written_down(site, "p"))
        site.kill("monitor")
        admin = KafkaAdminClient(bootstrap_servers=kafka)
        admin.delete_topics([site.topics.telemetry])
        admin.close()
        eventually(lambda: "ino" if make_topics(site.settings) == [] else "")
        site.start("monitor")
        site.send(high_dose("p"))
        assert eventually(lambda: raised(site)) == {"p"}
        assert "was made anew" in site.log_of("monitor")


def test_two_monitors_share_and_one_is_killed(kafka: str, tmp_path: Path) -> None:
    """With two workers each patient is judged once; when one is killed the other takes over."""
    with product(kafka, tmp_path) as site:
        site.start("monitor")
        site.env["INOWATCH_INSTANCE"] = "1"
        first = site.workers.pop("monitor")
        site.start("monitor")
        before = {f"a{number}" for number in range(6)}
        for patient in before:
            site.send(high_dose(patient))
        eventually(lambda: raised(site) >= before)
        assert raised(site) == before
        first.kill()
        after = {f"b{number}" for number in range(6)}
        for patient in after:
            site.send(high_dose(patient))
        eventually(lambda: raised(site) >= before | after)
        assert raised(site) == before | after
        ids = {a.id for a in site.alerts() if (a.rule, a.phase) == ("set-dose-high", "raised")}
        assert len(ids) == len(before | after)
