"""Another version, which reads other topics, comes before its group has missed the one before."""

import os
import sys
from pathlib import Path

from kafka import KafkaProducer

from deploy.guarded import Guarded
from schemas.encode import encode
from schemas.health import Health
from streams.clock import wall_clock
from tests.e2e.product import Product, eventually, product
from tests.e2e.test_pager_and_board import high_dose


def taken(site: Product, topic: str) -> int:
    """Count the records of a topic that the recorder has done with."""
    return sum(at for (name, _), at in site.committed("recorder").items() if name == topic)


def reads_samples(site: Product) -> bool:
    """Send samples; whether the recorder takes all that there are."""
    site.send(high_dose("p"))
    count = len(site.read(site.topics.telemetry))
    return eventually(lambda: taken(site, site.topics.telemetry) == count)


def start_older(site: Product) -> None:
    """Start the recorder of a version that does not know ``ino.health``."""
    with site.home.joinpath("older.log").open("ab") as log:
        site.workers["recorder"] = Guarded(
            [sys.executable, "-m", "tests.e2e.older", "recorder"],
            output=log,
            env={**os.environ, **site.env},
        )


def test_a_topic_comes_and_goes(kafka: str, tmp_path: Path) -> None:
    """A version with one topic more reads it too; after the way back the older one reads on."""
    with product(kafka, tmp_path) as site:
        start_older(site)
        assert reads_samples(site)
        word = Health(
            time=wall_clock(),
            watcher="w",
            well=True,
            faults=(),
            clock_s=0.0,
            roles={},
            sinks={},
            untold=0,
        )
        with KafkaProducer(**site.settings.kafka.client()) as producer:
            producer.send(site.topics.health, key=b"w", value=encode(word)).get(timeout=10)
        site.kill("recorder")

        site.start("recorder")
        assert reads_samples(site)
        assert eventually(lambda: taken(site, site.topics.health) == 1)
        site.kill("recorder")

        start_older(site)
        assert reads_samples(site)
