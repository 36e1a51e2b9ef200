"""What every test may ask for."""

import os
from collections.abc import Iterator

import pytest

from deploy.kafka.broker import Broker


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Address of a real Kafka: the one that INOWATCH_KAFKA names, else one for this session.

    Tests share it, so each uses topics and groups of its own.
    """
    address = os.environ.get("INOWATCH_KAFKA")
    if address:
        yield address
        return
    with Broker() as broker:
        yield broker.bootstrap
