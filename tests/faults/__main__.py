"""``make faults``: the product under every fault, alone and mixed, against its own pure core.

Every fault alone; then the mutation check, in which what keeps the promises is switched off and the
suite has to turn red; then mixed at random with a moving seed for ``--minutes``. A red round says
how to repeat it and keeps its folder. The last line is one JSON object. Exit code 1 when a round
was red or a mutation was not noticed.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from deploy.kafka.broker import Broker
from tests.faults import points
from tests.faults.faults import ALONE
from tests.faults.mutations import MUTATIONS, check
from tests.faults.play import Verdict, play

MINUTES = 10.0
NOT_TOGETHER = (
    {"disk-full", *(name for name in ALONE if name.startswith("influx"))},
    {"receiver-away", "receiver-unsure"},
    {"broker-killed", "broker-frozen"},
    {"clock-step-back", "clock-step-ahead"},
)
"""Faults that use the same thing in two ways; of each set one at the most."""


class Run:
    """The rounds of one run on one broker, and what came of them."""

    def __init__(self, seed: int, scratch: Path, broker: Broker) -> None:
        self.seed, self._scratch, self._broker = seed, scratch, broker
        self.rounds = 0
        self.red: list[str] = []
        self.met: Counter[str] = Counter()
        self.noticed: dict[str, bool] = {}

    def home(self) -> Path:
        """Make an empty folder for a round."""
        return Path(tempfile.mkdtemp(dir=self._scratch))

    def play(self, seed: int, names: list[str], repeat: str) -> None:
        """Play one round and say what came of it."""
        home = self.home()
        print(f"seed {seed}  {' + '.join(names)}", end="  ", flush=True)
        verdict = play(seed, [ALONE[name]() for name in names], self._broker, home)
        self.rounds += 1
        self.met.update(names)
        print(said(verdict), flush=True)
        if not verdict.red:
            shutil.rmtree(home)
            return
        self.red.append(repeat)
        for note in verdict.notes:
            print(f"  {note}")
        for look in verdict.differences:
            print("\n".join(f"  {line}" for line in look.lines()))
        print(f'  again: make faults ARGS="{repeat}"   its folder: {home}', flush=True)

    def mutate(self) -> None:
        """Switch off what keeps the promises, one by one."""
        for mutation in MUTATIONS:
            print(f"without {mutation.without}", end="  ", flush=True)
            found = check(mutation, self.seed, self._broker, self.home)
            self.rounds += 2
            self.noticed[mutation.without] = found.well
            looks = ", ".join(look.about for look in found.red.differences) or "nothing"
            words = "noticed" if found.well else "NOT NOTICED"
            print(f"{words}: with it {said(found.green)}; without it red: {looks}", flush=True)

    def mixed(self, seed: int) -> None:
        """Play a round of faults that the seed picks."""
        self.play(seed, mixture(seed), f"--repeat {seed}")

    def figures(self) -> dict[str, object]:
        """What the last line says."""
        return {
            "rounds": self.rounds,
            "red": self.red,
            "faults": dict(sorted(self.met.items())),
            "mutations_noticed": self.noticed,
            "seed": self.seed,
        }


def said(verdict: Verdict) -> str:
    """One line about a round."""
    deaths = f", {len(verdict.deaths)} deaths" if verdict.deaths else ""
    return f"{'RED' if verdict.red else 'green'} in {verdict.took_s:.0f} s{deaths}"


def mixture(seed: int) -> list[str]:
    """Pick faults that can be had together, by the seed."""
    rng = random.Random(seed)
    names = [name for name in ALONE if name != "none"]
    picked: list[str] = []
    for name in rng.sample(names, len(names)):
        if not any(name in alike and alike & {*picked} for alike in NOT_TOGETHER):
            picked.append(name)
        if len(picked) == 2 + seed % 3:
            break
    return picked


def main() -> int:
    """Play what was asked for; returns the exit code."""
    asked = _arguments()
    points.check()
    scratch = Path(tempfile.mkdtemp(prefix="inowatch-faults-"))
    with Broker() as broker:
        run = Run(asked.seed, scratch, broker)
        _play(run, asked)
    if not run.red:
        shutil.rmtree(scratch)
    print(json.dumps(run.figures()))
    return 1 if run.red or not all(run.noticed.values()) else 0


def _play(run: Run, asked: argparse.Namespace) -> None:
    if asked.repeat is not None:
        run.mixed(asked.repeat)
        return
    part = {"only"} if asked.only else {asked.part} if asked.part else {"alone", "check", "mixed"}
    for name in asked.only or ALONE if part & {"only", "alone"} else ():
        run.play(asked.seed, [name], f"--only {name} --seed {asked.seed}")
    if "check" in part:
        run.mutate()
    end, seed = time.monotonic() + asked.minutes * 60, asked.seed
    while "mixed" in part and time.monotonic() < end:
        seed += 1
        run.mixed(seed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of mixed faults at the end")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 10**6, help="of the first")
    parser.add_argument("--only", action="append", choices=list(ALONE), help="this fault alone")
    parser.add_argument("--part", choices=["alone", "check", "mixed"], help="nothing but this")
    parser.add_argument("--repeat", type=int, metavar="SEED", help="one mixed round again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
