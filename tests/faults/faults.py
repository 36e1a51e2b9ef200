"""The faults, each a small function; ``ALONE`` lists them as they are tried one by one.

Random moments and lengths come from the round's seed, so that a round can be repeated.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.contract.receiver import Answer
from tests.e2e.listening import listening
from tests.faults.play import Fault, Scene
from tests.faults.points import POINTS
from tests.faults.store_faults import (
    influx_down,
    influx_late,
    influx_refuses,
    influx_says_later,
)
from tests.faults.timeline import LIVE, MINUTE, STEP

ABSENCES = {"methb-first-overdue", "course-over-14-days", "telemetry-lost"}
"""What is told because time passes and nothing comes."""
AWAY = MINUTE
"""How long before a deadline the monitor goes away, and how long after it it comes back."""
WRONG_S = 8.0
"""How long a clock is wrong."""
SLOW = 50.0
"""The pace of faults that need their time: the half hour lasts 36 s."""


def kill_at(*points: str) -> Fault:
    """Kill workers at points, ``NAME:TIMES``, each one's next in its next life."""

    def before(scene: Scene) -> None:
        for point in points:
            role = POINTS[point.partition(":")[0]].role
            scene.stage.lives[f"{role}-0"].append({"INOWATCH_FAULT_KILL": point})

    return Fault(name=f"kill {' '.join(points)}", before=before)


def kill_journal() -> Fault:
    """Kill the journal in the midst of a write, and in its next lives before and after others."""
    points = ("after-journal-write:4", "before-journal-write:3", "journal-before-commit:3")

    def before(scene: Scene) -> None:
        lives = scene.stage.lives["journal-0"]
        lives.append({"INOWATCH_FAULT_TORN": "5"})
        lives.extend({"INOWATCH_FAULT_KILL": point} for point in points)

    return Fault(name="kill journal", before=before)


def kill_in_rebalance() -> Fault:
    """Kill the monitor while it gives partitions away to one who joins."""

    def before(scene: Scene) -> None:
        scene.stage.lives["monitor-0"].append({"INOWATCH_FAULT_KILL": "during-rebalance:1"})

    def meanwhile(scene: Scene) -> None:
        if scene.reaches(0.25):
            scene.stage.launch("monitor", "1")
        if scene.reaches(0.7):
            scene.stage.dismiss("monitor-1", orderly=False)

    return Fault(name="kill during-rebalance", before=before, meanwhile=meanwhile, pace=SLOW)


def deadline_missed() -> Fault:
    """Kill the monitor; a deadline falls before it is back."""

    def meanwhile(scene: Scene) -> None:
        zero = scene.log.zero
        waits = [zero + entry.at for entry in scene.log.live if entry.settled or entry.told]
        falls = [
            alert.at
            for alert in scene.oracle.alerts
            if alert.rule in ABSENCES
            and alert.phase == "raised"
            and alert.at > zero + AWAY
            # The ward would wait for the monitor, and the deadline, or the release, would not come:
            # it waits a step before the record.
            and not any(alert.at - AWAY <= at <= alert.at + AWAY + STEP for at in waits)
        ]
        for fall in sorted(falls)[:1]:
            scene.reaches((fall - AWAY - zero) / LIVE)
            scene.stage.hold("monitor-0")
            scene.reaches((fall + AWAY - zero) / LIVE)
            scene.stage.release("monitor-0")

    return Fault(name="deadline missed", meanwhile=meanwhile, pace=SLOW)


def freeze(role: str, seconds: float = 14.0) -> Fault:
    """Stop a worker without ending it; another takes over, and then the first one goes on."""

    def meanwhile(scene: Scene) -> None:
        stage = scene.stage
        if not scene.reaches(0.15):
            return
        stage.launch(role, "1")
        scene.reaches(0.35)
        if role == "pager":
            # It reads on until it hears that it was replaced: all that was told meanwhile, again.
            scene.allowed.doubles += len(scene.oracle.pages)
        stage.signal(f"{role}-0", signal.SIGSTOP)
        time.sleep(seconds)
        stage.signal(f"{role}-0", signal.SIGCONT)

    return Fault(name=f"freeze {role}", meanwhile=meanwhile, pace=SLOW)


def come_and_go(role: str) -> Fault:
    """Workers join and leave."""

    def meanwhile(scene: Scene) -> None:
        stage, rng = scene.stage, random.Random(scene.log.seed)
        for share in (0.1, 0.3, 0.5, 0.65, 0.8):
            if not scene.reaches(share):
                return
            name = f"{role}-{rng.randint(0, 2)}"
            others = {one for one in stage.workers if one.startswith(role)} - {name}
            if name in stage.workers and others:
                stage.dismiss(name, orderly=rng.random() < 0.7)
                # Who leaves in the middle of a post does not know what became of it.
                scene.allowed.doubles += role == "pager"
            elif name not in stage.workers:
                stage.launch(*name.split("-"))

    return Fault(name=f"come and go {role}", meanwhile=meanwhile, pace=SLOW)


def broker_killed(seconds: float = 3.0) -> Fault:
    """Kill the broker, and start it again on its data."""

    def meanwhile(scene: Scene) -> None:
        if scene.reaches(0.4):
            with scene.stage.talks:
                scene.broker.kill()
            time.sleep(seconds)
            scene.broker.start()

    return Fault(name="broker killed", meanwhile=meanwhile, pace=SLOW)


def broker_frozen(seconds: float = 12.0) -> Fault:
    """Stop the broker without ending it."""

    def meanwhile(scene: Scene) -> None:
        if scene.reaches(0.4):
            with scene.stage.talks:
                os.kill(scene.broker.pid, signal.SIGSTOP)
            time.sleep(seconds)
            os.kill(scene.broker.pid, signal.SIGCONT)

    return Fault(name="broker frozen", meanwhile=meanwhile, pace=SLOW)


def receiver_away() -> Fault:
    """Nobody listens where pages go to, until later."""
    ports: list[int] = []

    def setting(_stack: ExitStack, _home: Path, extra: dict[str, str], _scene: object) -> None:
        from deploy.free_port import free_port

        ports[:] = [free_port()]
        extra["INOWATCH_WEBHOOK_URL"] = f"http://127.0.0.1:{ports[0]}/hook"

    def meanwhile(scene: Scene) -> None:
        scene.reaches(0.6)
        scene.receivers.append(scene.stack.enter_context(listening(port=ports[0])))

    return Fault(name="receiver away", setting=setting, meanwhile=meanwhile)


def receiver_unsure() -> Fault:
    """The receiver fails, and takes pages without ever saying so."""

    def meanwhile(scene: Scene) -> None:
        # Only of the last three nobody knows whether they were taken; all come again.
        scene.receivers[0].answers += [
            Answer(503),
            Answer(429, headers={"Retry-After": "1"}),
            Answer(manner="drop"),
            Answer(manner="hang"),
            Answer(200, "half", manner="hang-in-body"),
        ]
        scene.allowed.doubles += 5

    return Fault(name="receiver unsure", meanwhile=meanwhile)


def disk_full() -> Fault:
    """The embedded store's disk is full for a while."""

    def before(scene: Scene) -> None:
        scene.stage.lives["recorder-0"].append({"INOWATCH_FAULT_FULL": "15:6"})

    return Fault(name="disk full", before=before)


def clock_step(seconds: float) -> Fault:
    """The clock of the workers' machine steps, and is put right later.

    Back: the ward's clock stands until it is caught up with. Ahead of the broker's by more than two
    minutes: its ticks are refused, and the ward's clock stands as well. Either way what was due is
    told once, late, with its own time.
    """

    def before(scene: Scene) -> None:
        for role in ("monitor", "recorder", "pager"):
            scene.stage.always[role]["INOWATCH_FAULT_SHIFTED"] = "1"

    def meanwhile(scene: Scene) -> None:
        if scene.reaches(0.3):
            scene.allowed.own_refused |= seconds > 0
            scene.stage.grants.shift(seconds)
            # By the wall: the ward may have to wait for what is due, and that for its clock.
            time.sleep(WRONG_S)
            scene.stage.grants.shift(0)

    name = f"clock step {seconds:+.0f} s"
    return Fault(name=name, before=before, meanwhile=meanwhile)


def alert_lost(number: int = 3) -> Fault:
    """The broker does not take an alert, and says so."""

    def before(scene: Scene) -> None:
        lose = f"{scene.stage.topics.alerts}:{number}"
        scene.stage.lives["monitor-0"].append({"INOWATCH_FAULT_LOSE": lose})

    return Fault(name="alert not taken", before=before)


Make = Callable[[], Fault]
ALONE: dict[str, Make] = {
    "none": lambda: Fault(name="none"),
    "kill-monitor-state": lambda: kill_at("after-state-computed:2", "after-state-computed:3"),
    "kill-monitor-changelog": lambda: kill_at("after-changelog:1", "after-changelog:3"),
    "kill-monitor-sent": lambda: kill_at("after-alert-sent:1", "after-alert-sent:3"),
    "kill-monitor-commit": lambda: kill_at("before-commit:8", "after-commit:8"),
    "kill-monitor-recovery": lambda: kill_at(
        "after-alert-sent:2", "during-recovery:1", "after-recovery:1", "during-recovery:2"
    ),
    "kill-monitor-rebalance": kill_in_rebalance,
    "kill-recorder": lambda: kill_at("after-store-204:4", "recorder-before-commit:3"),
    "kill-pager": lambda: kill_at("after-page-accepted:2", "pager-before-commit:2"),
    "kill-journal": kill_journal,
    "deadline-missed": deadline_missed,
    "alert-not-taken": alert_lost,
    "freeze-monitor": lambda: freeze("monitor"),
    "freeze-recorder": lambda: freeze("recorder"),
    "freeze-pager": lambda: freeze("pager"),
    "come-and-go-monitor": lambda: come_and_go("monitor"),
    "come-and-go-recorder": lambda: come_and_go("recorder"),
    "come-and-go-pager": lambda: come_and_go("pager"),
    "broker-killed": broker_killed,
    "broker-frozen": broker_frozen,
    "influx-down": influx_down,
    "influx-says-later": influx_says_later,
    "influx-late": influx_late,
    "influx-refuses-a-line": influx_refuses,
    "receiver-away": receiver_away,
    "receiver-unsure": receiver_unsure,
    "disk-full": disk_full,
    "clock-step-back": lambda: clock_step(-300),
    "clock-step-ahead": lambda: clock_step(300),
}
"""Every fault by the name that ``--only`` takes."""
