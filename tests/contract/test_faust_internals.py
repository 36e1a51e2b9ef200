"""What the workers lean on inside Faust and Kafka's client, held by arguments and by text.

Another version turns these red. Then read what has changed beside streams/batch_consumer.py and
docs/adr/0008, run tests/contract/test_batch_consumer.py many times over, and only then write down
the new digest.
"""

import hashlib
import inspect
from pathlib import Path

import faust
import pytest
from aiokafka.consumer.consumer import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher
from faust.app.base import App
from faust.stores.memory import Store as MemoryStore
from faust.streams import Stream
from faust.tables.base import Collection
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport import consumer
from faust.transport.base import Transport
from faust.transport.conductor import ConductorCompiler
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import Message

from streams.batch_consumer import BatchConsumer, BatchTransport
from streams.settings import read_settings
from streams.worker import FAUST_VERSION, CannotStart, new_app

CHANGED = "{} is not as streams/batch_consumer.py knows it: see the head of this file"

TEXTS: dict[type, dict[str, str]] = {
    Consumer: {
        "__init__": "302410d59e69",
        "getmany": "4b168d84882a",
        "_wait_next_records": "6218e1969a63",
        "_drain_messages": "44a2500309e8",
        "ack": "5fcf41cf4515",
        "wait_empty": "e4662fe24f09",
        "_filter_tps_with_pending_acks": "f6f923977423",
        "_filter_committable_offsets": "dc5e9baf5d99",
        "_should_commit": "5ce941793947",
        "_commit_tps": "a20e230b05ae",
        "_commit_offsets": "1a6979904118",
        "_new_offset": "1d2c7ea89a7a",
        "_add_gap": "4df2573ded7c",
        "on_partitions_revoked": "d04b7ae72c6f",
        "perform_seek": "0e8c130ff4b0",
        "seek": "b86a9fe05f95",
        "_is_changelog_tp": "88867d75cfe9",
        "verify_all_partitions_active": "4e0e46f5c297",
    },
    driver.Consumer: {
        "_to_message": "7c24f6511b2f",
        "_new_topicpartition": "fca87b618c4f",
        "_commit": "a20eec84e4b2",
        "_new_consumer_thread": "0870ec53dea7",
        "verify_event_path": "a17e8f0610e1",
    },
    driver.AIOKafkaConsumerThread: {
        "getmany": "26fc5fc9f3b6",
        "_fetch_records": "39a2c6c79fc1",
        "_commit": "932852ce7a23",
        "seek_to_beginning": "bd4250b8d1e7",
        "_create_worker_consumer": "c2701bfc3e6f",
    },
    Transport: {
        "create_consumer": "46cc2bf5ab14",
    },
    App: {
        "_new_transport": "42db531312dd",
        "_on_partitions_revoked": "d5c895bbe57d",
        "_on_partitions_assigned": "de932b7927db",
        "on_rebalance_start": "5c1e23de3067",
        "on_rebalance_end": "b7ff69e1e377",
    },
    Collection: {
        "send_changelog": "3dd3884e1b5f",
        "apply_changelog_batch": "b980a78d3ae9",
    },
    Recovery: {
        "_resume_streams": "d986a6710c1a",
        "on_recovery_completed": "6ef567acf072",
    },
    MemoryStore: {
        "apply_changelog_batch": "71863e3cd727",
        "_create_batch_iterator": "b082c8bcc040",
    },
    TableManager: {
        "on_start": "365dd25fbc0e",
        "add": "4c5232ce6ba1",
    },
    ConductorCompiler: {
        "build": "837cf521368c",
    },
    Stream: {
        "_c_aiter": "fa44582a5882",
        "_py_aiter": "3a48ee257a65",
        "events": "c62f4dd3a73f",
    },
    Message: {
        "incref": "78d34df830d3",
        "decref": "f23396189d0e",
        "ack": "4751b72c4ed8",
    },
    Fetcher: {
        "fetched_records": "be4348896b9b",
        "_get_actions_per_node": "1dab2cf937d1",
    },
    AIOKafkaConsumer: {
        "seek_to_committed": "f6cd85c8b70a",
    },
}

COMPILED = {
    "_cython/streams.pyx": "0041622f4a25",
    "transport/_cython/conductor.pyx": "dde1f9742678",
}
"""What runs in place of ``Stream._py_aiter`` and ``ConductorCompiler`` where it was compiled."""

OVERRIDDEN = [
    name
    for name, member in vars(BatchConsumer).items()
    if inspect.isfunction(member) and name != "__init__" and hasattr(driver.Consumer, name)
]


def digest(text: str) -> str:
    """Shorten a text to what tells it from others."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def test_the_version_is_the_one_that_was_read() -> None:
    """The digests here are those of the version that the start asks for."""
    assert faust.__version__ == FAUST_VERSION


@pytest.mark.parametrize(
    ("owner", "name"),
    [(owner, name) for owner, names in TEXTS.items() for name in names],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_text(owner: type, name: str) -> None:
    """Each function leaned on says what it said when it was read."""
    text = inspect.getsource(inspect.unwrap(getattr(owner, name)))
    assert digest(text) == TEXTS[owner][name], CHANGED.format(f"{owner.__name__}.{name}")


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_text(name: str) -> None:
    """What may run compiled was compiled from the text that was read."""
    path = Path(inspect.getfile(consumer)).parents[1] / name
    assert digest(path.read_text()) == COMPILED[name], CHANGED.format(name)


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_arguments(name: str) -> None:
    """Whatever is put in the place of Faust's own takes the same arguments by the same names."""
    ours, theirs = getattr(BatchConsumer, name), getattr(driver.Consumer, name)
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)


def test_everything_meant_to_override_does() -> None:
    """No method of the batch consumer is without its counterpart but those that are new."""
    own = {name for name, member in vars(BatchConsumer).items() if inspect.isfunction(member)}
    new = {"__init__", "_restored", "_find_back", "_is_lost", "leave", "_prove", "_ask"} | {
        "_wait_for"
    }
    assert own - set(OVERRIDDEN) == new


def test_the_app_has_a_batch_consumer() -> None:
    """An app made here reads in batches, whatever Faust would choose for the address."""
    app = new_app("recorder", read_settings({"INOWATCH_KAFKA": "127.0.0.1:9"}))
    assert isinstance(app.transport, BatchTransport)
    assert app.transport.Consumer is BatchConsumer


def test_another_faust_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start says which version is needed and which is there."""
    monkeypatch.setattr(faust, "__version__", "0.16.0")
    with pytest.raises(CannotStart, match=r"faust-streaming 0\.15\.3 is needed and 0\.16\.0 is"):
        new_app("monitor", read_settings({"INOWATCH_KAFKA": "127.0.0.1:9"}))
