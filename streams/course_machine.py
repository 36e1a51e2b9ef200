"""The life of a course as a table: every phase, every signal, what follows.

A course is the therapy of one patient from the first delivery to its end. Signals come from
samples, from people and from time:

- ``deliver``  a device gives nitric oxide
- ``keep``     nothing that starts or ends delivery (calibrating, purging, an unknown dose)
- ``end``      the last device that delivered says that it does so no more
- ``close``    a person closes the course
- ``lapse``    delivery ended and did not come back within the interruption that is allowed

Every pair is listed; a pair that changes nothing says so.
"""

from typing import Literal

from schemas.state import CoursePhase

Phase = Literal["none"] | CoursePhase
Signal = Literal["deliver", "keep", "end", "close", "lapse"]

MEANING: dict[Signal, str] = {
    "deliver": "a device gives nitric oxide",
    "keep": "calibrating, purging, an unknown dose",
    "end": "the last device that delivered says that it does so no more",
    "close": "a person closes the course",
    "lapse": "2 h without delivery have passed",
}

PHASES: tuple[Phase, ...] = ("none", "running", "paused")
SIGNALS: tuple[Signal, ...] = ("deliver", "keep", "end", "close", "lapse")

TABLE: dict[tuple[Phase, Signal], Phase] = {
    ("none", "deliver"): "running",
    ("none", "keep"): "none",
    ("none", "end"): "none",
    ("none", "close"): "none",
    ("none", "lapse"): "none",
    ("running", "deliver"): "running",
    ("running", "keep"): "running",
    ("running", "end"): "paused",
    ("running", "close"): "none",
    ("running", "lapse"): "running",
    ("paused", "deliver"): "running",
    ("paused", "keep"): "paused",
    ("paused", "end"): "paused",
    ("paused", "close"): "none",
    ("paused", "lapse"): "none",
}


def diagram() -> str:
    """Draw the table as a state diagram in Mermaid, without the pairs that change nothing."""
    lines = ["stateDiagram-v2", "    [*] --> none"]
    lines += [
        f"    {phase} --> {after}: {signal} ({MEANING[signal]})"
        for (phase, signal), after in TABLE.items()
        if after != phase
    ]
    return "\n".join(lines)
