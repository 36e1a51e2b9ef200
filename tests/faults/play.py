"""One round: a log, a site, faults while it lives, and the look at what is left.

The ward's time goes on at its pace while faults are on, and waits where the log says so, until the
product has caught up. At the end everything is given time, the workers are stopped, and the
verifier looks.
"""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from functools import partial
from io import StringIO
from itertools import groupby
from pathlib import Path
from threading import Event, Thread

from kafka.errors import KafkaError
from msgspec import Struct, field

from deploy.kafka.broker import Broker
from streams.deploy_command import make_topics
from streams.groups import topics_read
from tests.contract.receiver import Receiver
from tests.e2e.listening import listening
from tests.e2e.product import eventually, journal_in
from tests.faults.difference import Difference
from tests.faults.granted import Grants
from tests.faults.oracle import Expected, expected
from tests.faults.stage import Death, Stage, key_of
from tests.faults.timeline import STEP, Entry, Timeline, timeline
from tests.faults.verify import Allowed, is_own, verify

SPEED = 100.0
"""Of the ward's time: its half hour lasts 18 s, and longer where it has to wait."""
QUIET_S = 2.5
PATIENCE_S = 90.0
ROLES = ("monitor", "pager", "journal", "recorder")
"""The roles on the stage: each before those who read what it writes."""
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


class Scene(Struct):
    """What a fault can lay hands on. ``over`` is set when the log has come to its end."""

    stage: Stage
    broker: Broker
    receivers: list[Receiver]
    stack: ExitStack
    log: Timeline
    oracle: Expected
    allowed: Allowed
    over: Event = field(default_factory=Event)

    def reaches(self, share: float) -> bool:
        """Wait until so much of the log is over; false when it will not come to that."""
        at = self.log.zero + (self.log.end - self.log.zero) * share
        while self.stage.grants.now < at:
            if self.over.wait(0.05):
                return False
        return True


class Verdict(Struct):
    """What came of a round."""

    seed: int
    differences: list[Difference]
    deaths: list[Death]
    took_s: float
    notes: list[str] = field(default_factory=list)

    @property
    def red(self) -> bool:
        """Whether anything differs, or did not go as it was to go."""
        return bool(self.differences or self.notes)


def _nothing(_scene: Scene) -> None:
    pass


class Fault(Struct, frozen=True, kw_only=True):
    """Something that goes wrong: ``before`` the workers start, ``meanwhile`` in its own thread.

    ``setting`` goes around all of it, for a server of its own, and may add to the environment.
    ``pace``: how fast the ward's time goes.
    """

    name: str
    before: Callable[[Scene], None] = _nothing
    meanwhile: Callable[[Scene], None] = _nothing
    setting: Callable[[ExitStack, Path, dict[str, str], Timeline], None] | None = None
    pace: float = SPEED


def play(  # noqa: PLR0913 # a round is its seed, its faults and where it is played
    seed: int,
    faults: list[Fault],
    broker: Broker,
    home: Path,
    *,
    without: str = "",
    patience_s: float = PATIENCE_S,
) -> Verdict:
    """Play a round in the empty folder ``home``; ``without`` names a mutation."""
    began = time.monotonic()
    log = timeline(seed)
    oracle = expected(log)
    notes: list[str] = []
    with ExitStack() as stack:
        scene = stack.enter_context(_scene(log, oracle, faults, broker, home))
        if without:
            for role in ("monitor", "pager", "journal"):
                scene.stage.always[role] |= {"INOWATCH_FAULT_WITHOUT": without}
        for fault in faults:
            fault.before(scene)
        _live(scene, faults, notes, patience_s)
        _settle(scene, notes, patience_s)
        bodies = [post.body for one in scene.receivers for post in one.posts]
        differences = verify(scene.stage, oracle, bodies, _allowed(scene))
        deaths = scene.stage.deaths
    return Verdict(seed, differences, deaths, time.monotonic() - began, notes)


def _allowed(scene: Scene) -> Allowed:
    """A pager that ended between a post and its record of it posts once more."""
    pagers = sum(death.name.startswith("pager") for death in scene.stage.deaths)
    scene.allowed.doubles += pagers
    return scene.allowed


@contextmanager
def _scene(
    log: Timeline, oracle: Expected, faults: list[Fault], broker: Broker, home: Path
) -> Iterator[Scene]:
    secret = home / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    grants = Grants(home / "grants", log.zero)
    with ExitStack() as stack:
        receiver = stack.enter_context(listening())
        extra = {
            "INOWATCH_PARTITIONS": str(log.partitions),
            "INOWATCH_WEBHOOK_URL": f"{receiver.url}/hook",
            "INOWATCH_WEBHOOK_SECRET_FILE": str(secret),
            **journal_in(home),
        }
        for fault in faults:
            if fault.setting is not None:
                fault.setting(stack, home, extra, log)
        stage = Stage(broker.bootstrap, home, grants, extra)
        stack.callback(stage.stop)
        with redirect_stderr(StringIO()):  # it lists what it has made
            wrong = make_topics(stage.settings)
        if wrong:
            raise RuntimeError("\n".join(wrong))
        yield Scene(stage, broker, [receiver], stack, log, oracle, Allowed())


def _live(scene: Scene, faults: list[Fault], notes: list[str], patience_s: float) -> None:
    stage, log = scene.stage, scene.log
    stage.put(log.history)
    for role in ROLES:
        stage.launch(role)
    if not eventually(lambda: _settled(stage), within_s=patience_s):
        notes.append("the history was not judged in time")
    threads = [
        Thread(target=_go_wrong, args=[fault, scene, notes], daemon=True) for fault in faults
    ]
    for thread in threads:
        thread.start()
    pace_s = STEP.total_seconds() / min(fault.pace for fault in faults) if faults else 0.1
    by_step = groupby(log.live, key=lambda entry: -(-entry.at // STEP))
    for step, entries in by_step:
        begun = time.monotonic()
        some = list(entries)
        _wait_for(scene, some, notes, patience_s)
        stage.put(some)
        stage.grants.grant(log.zero + step * STEP)
        time.sleep(max(0.0, begun + pace_s - time.monotonic()))
    stage.grants.grant(log.end)
    scene.over.set()
    for thread in threads:
        thread.join(patience_s)
        if thread.is_alive():
            notes.append("a fault did not come to its end")


def _go_wrong(fault: Fault, scene: Scene, notes: list[str]) -> None:
    try:
        fault.meanwhile(scene)
    except Exception as wrong:  # noqa: BLE001 # whatever it is, the round is not what it says
        notes.append(f"{fault.name}: {wrong!r}")


def _wait_for(scene: Scene, entries: list[Entry], notes: list[str], patience_s: float) -> None:
    """Let the product catch up with what these records need to find."""
    stage, now = scene.stage, scene.stage.grants.now
    for entry in entries:
        if entry.settled and not eventually(lambda: _settled(stage), within_s=patience_s):
            notes.append(f"at {now} not all had been judged in time")
        if not entry.told:
            continue
        due = {key_of(alert) for alert in scene.oracle.due(entry.key.decode(), now)}
        if not eventually(partial(_told, stage, due), within_s=patience_s):
            notes.append(f"what was due at {now} was not told in time")


def _settled(stage: Stage) -> bool:
    """Whether the monitor has committed everything that is in its inputs and not its own."""
    try:
        unread = stage.rows(*stage.topics.inputs, since=stage.committed("monitor"))
    except (KafkaError, OSError):
        return False
    return all(is_own(stage, row) for row in unread)


def _told(stage: Stage, due: set[tuple[str, str, str]]) -> bool:
    try:
        return due <= stage.told()
    except (KafkaError, OSError):
        return False


def _settle(scene: Scene, notes: list[str], patience_s: float) -> None:
    """Give the product time to come to the end, first who decides, then who is told."""
    stage = scene.stage
    wanted = {key_of(alert) for alert in scene.oracle.alerts}
    if not eventually(lambda: _settled(stage) and _told(stage, wanted), within_s=patience_s):
        notes.append("the monitor did not come to the end in time")
    for role in ROLES:
        if role != "monitor" and not eventually(partial(_read, stage, role), within_s=patience_s):
            notes.append(f"the {role} did not come to the end in time")
        for name in [name for name in stage.workers if name.startswith(role)]:
            stage.dismiss(name)
        if role == "monitor" and not eventually(lambda: _is_quiet(stage), within_s=patience_s):
            notes.append("ticks came when no monitor should have been there")


def _is_quiet(stage: Stage) -> bool:
    """Whether nobody has sent a tick for some seconds: a monitor may need them to end."""
    try:
        before = stage.ends(tuple(stage.topics.inputs))
        time.sleep(QUIET_S)
        return bool(before == stage.ends(tuple(stage.topics.inputs)))
    except (KafkaError, OSError):
        return False


def _read(stage: Stage, role: str) -> bool:
    """Whether a role has committed everything that there is for it."""
    try:
        return not stage.behind(role, stage.ends(topics_read(role, stage.topics)))
    except (KafkaError, OSError):
        return False
