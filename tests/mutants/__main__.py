"""``make mutants``: how many small faults in the rules and the core the tests would notice.

Mutants are tried in a random order given by the seed, so that the score of the part that fits into
the time is an honest estimate of the whole. One that runs into its limit of CPU time counts as
noticed. The last line is one JSON object. Exit code 1 when the score is below the aim. Nothing in
the checkout is changed.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict

MINUTES = 20.0
AIM_PCT = 95.0
EXAMPLES = "40"
"""Histories a property test, which is a tenth of what it otherwise tries."""
Fates = dict[str, Counter[str]]
"""How often each fate met a mutant of each file."""


def main() -> int:
    """Try as many mutants as the time allows and print what became of them."""
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="inowatch-mutants-") as scratch:
        # Before anything of ours is imported: what Python and Hypothesis write goes there.
        sys.pycache_prefix = scratch
        os.environ |= {"HYPOTHESIS_STORAGE_DIRECTORY": scratch, "INOWATCH_EXAMPLES": EXAMPLES}
        total, fates = _try_all(asked)
    return _report(total, fates, asked.least)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.mutants", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="then no new one is begun")
    parser.add_argument("--seed", type=int, default=1, help="of the order")
    parser.add_argument("--least", type=float, default=AIM_PCT, help="exit 1 below this score, %%")
    parser.add_argument("--killers", action="store_true", help="print the killed ones, and by what")
    parser.add_argument("only", nargs="*", help="such as alerts/rules or alerts/gas.py:20")
    return parser.parse_args()


def _try_all(asked: argparse.Namespace) -> tuple[int, Fates]:
    """Return how many mutants there are, and the fates of those for which there was time."""
    from tests.mutants.likely import Likely
    from tests.mutants.made import mutants
    from tests.mutants.trial import TrialFailed, try_out, warm_up

    end = time.monotonic() + asked.minutes * 60
    every = [one for one in mutants() if not asked.only or any(map(one.lies_in, asked.only))]
    random.Random(asked.seed).shuffle(every)
    print(f"{len(every)} mutants, {asked.minutes:g} min, seed {asked.seed}", flush=True)
    warm_up()
    clean = try_out(None)
    if clean.fate != "survived":
        raise TrialFailed(f"without any mutant: {clean.fate} by {clean.killer}")
    fates: Fates = defaultdict(Counter)
    likely = Likely(clean.took_s)
    for number, mutant in enumerate(every, start=1):
        if time.monotonic() > end:
            break
        trial = try_out(mutant, likely.order(mutant.path))
        fates[str(mutant.path)][trial.fate] += 1
        if trial.killer is not None:
            likely.noticed(mutant.path, trial.killer)
        if trial.fate == "survived" or asked.killers:
            by = f" by {trial.killer}" if trial.killer else ""
            print("", f"{mutant.place}: {trial.fate}{by}", *mutant.diff[1:], sep="\n", flush=True)
        print(f"{number} of {len(every)}", end="\r", file=sys.stderr)
    return len(every), fates


def _report(total: int, fates: Fates, least_pct: float) -> int:
    """Print the score by file and in total; return the exit code."""
    print()
    figures = {file: _figures(counts) for file, counts in sorted(fates.items())}
    whole = _figures(sum(fates.values(), Counter()))
    for file, row in [*figures.items(), ("in total", whole)]:
        words = ", ".join(f"{row[name]} {name.replace('_', ' ')}" for name in list(row)[1:])
        print(f"{row['score_pct']:5.1f} %  {file}: {words}")
    print(json.dumps({"mutants": total, **whole, "files": figures}))
    return int(whole["score_pct"] < least_pct)


def _figures(counts: Counter[str]) -> dict[str, float]:
    ran, survived = counts.total(), counts["survived"]
    return {
        "score_pct": round(100 * (ran - survived) / ran, 1) if ran else 0.0,
        "ran": ran,
        "killed": counts["killed"],
        "timed_out": counts["timed out"],
        "survived": survived,
    }


if __name__ == "__main__":
    sys.exit(main())
