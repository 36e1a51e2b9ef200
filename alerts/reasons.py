"""Why a transition happened: the short codes that travel in an alert, and what each one says."""

from typing import Literal

Reason = Literal[
    "over-limit",
    "back-in-range",
    "delivery-ended",
    "stopped",
    "found-late",
    "resumed",
    "planned",
    "due",
    "overdue",
    "resulted",
    "late-result",
    "near-limit",
    "superseded",
    "reviewed",
    "review-expired",
    "silent",
    "course-ended",
    "limits-changed",
]

WORDS: dict[Reason, str] = {
    "over-limit": "over the limit",
    "back-in-range": "back in range",
    "delivery-ended": "delivery ended",
    "stopped": "delivery stopped",
    "found-late": "delivery stopped while there was no telemetry",
    "resumed": "back again",
    "planned": "the stop was planned",
    "due": "due now",
    "overdue": "overdue",
    "resulted": "a result is there",
    "late-result": "the check was collected in time",
    "near-limit": "nearing the limit",
    "superseded": "taken over by the stronger alert",
    "reviewed": "reviewed by a person",
    "review-expired": "the last review is a day old",
    "silent": "no telemetry",
    "course-ended": "the course ended",
    "limits-changed": "within the limits that hold now",
}
