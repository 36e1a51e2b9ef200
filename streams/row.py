"""What the board shows of one patient, from the state and nothing else."""

from datetime import datetime, timedelta

from alerts.limits import Limits
from alerts.methb import first_check
from alerts.rules import data_rejected
from alerts.rules.methb_repeat_overdue import interval
from alerts.rules.telemetry_lost import last_heard
from schemas.alert import rank
from schemas.board_row import BoardRow, Delivery, OpenAlert
from schemas.state import CourseState, DeviceState, PatientState

_HOUR = timedelta(hours=1)


def row_of(
    patient: PatientState, clock: datetime, limits: Limits, of_unit: OpenAlert | None = None
) -> BoardRow:
    """Make the row of one patient as of ``clock``; ``of_unit`` is an alert that includes it."""
    course, device = patient.course, patient.devices.get(patient.device)
    check = max(
        (lab for lab in patient.labs.values() if not lab.withdrawn),
        key=lambda lab: lab.time,
        default=None,
    )
    due, overdue = _next_check(patient, course, limits)
    delivered = patient.earlier + (course.delivered if course else timedelta())
    return BoardRow(
        patient=patient.patient,
        unit=patient.unit,
        bed=patient.bed,
        clock=clock,
        delivery=_delivery(patient, clock, limits),
        device=device.name if device else None,
        mode=device.mode if device else None,
        sample_time=patient.sample_time,
        set_ppm=device.set_ppm if device else None,
        no_ppm=patient.no_ppm,
        no2_ppm=patient.no2_ppm,
        fio2_pct=patient.fio2_pct,
        spo2_pct=patient.spo2_pct,
        course=course.start if course else None,
        elapsed_h=(clock - course.start) / _HOUR if course else None,
        delivered_h=delivered / _HOUR,
        methb_pct=check.value_pct if check else None,
        methb_time=check.time if check else None,
        methb_due=due,
        methb_overdue=overdue,
        late_samples=patient.late_samples,
        cannot_judge=_cannot_judge(patient, course, device),
        alerts=_worst_first([*open_alerts(patient), *([of_unit] if of_unit else ())]),
        profile=limits.name,
    )


def _delivery(patient: PatientState, clock: datetime, limits: Limits) -> Delivery:
    course = patient.course
    if course is None:
        return "no-course"
    if course.phase == "paused":
        return "stopped"
    heard = last_heard(patient)
    if heard is not None and clock - heard >= limits.telemetry_lost.low:
        return "lost"
    return "delivering" if course.counting else "suspended"


def _next_check(
    patient: PatientState, course: CourseState | None, limits: Limits
) -> tuple[datetime | None, datetime | None]:
    """Say when the next methemoglobin check is due and when it counts as missed."""
    if course is None:
        return None, None
    if first_check(patient, course, limits) is None:
        return course.start + limits.methb_first.due, course.start + limits.methb_first.overdue
    newest = max(lab.time for lab in patient.labs.values() if not lab.withdrawn)
    length, _ = interval(patient, limits)
    return newest + length, newest + length * (1 + limits.methb_repeat.grace)


def _cannot_judge(
    patient: PatientState, course: CourseState | None, device: DeviceState | None
) -> list[str]:
    """In words, what the rules miss; unknown is never shown as well."""
    missing = []
    refused = patient.tracks.get(data_rejected.NAME)
    if refused is not None and refused.open is not None:
        missing.append("its records are refused")
    if course is not None and course.phase == "running":
        if device is not None and device.mode == "backup":
            missing.append("dose in backup delivery is not known")
        elif device is None or device.set_ppm is None:
            missing.append("the set dose is not known")
    return missing


def open_alerts(patient: PatientState) -> list[OpenAlert]:
    """List what is open of one patient, or of a stand-in for one."""
    return [
        OpenAlert(
            id=track.open.id,
            rule=rule,
            priority=track.open.priority,
            onset=track.open.onset,
            at=track.open.at,
            summary=track.open.summary,
        )
        for rule, track in patient.tracks.items()
        if track.open is not None
    ]


def _worst_first(alerts: list[OpenAlert]) -> list[OpenAlert]:
    return sorted(alerts, key=lambda alert: (-rank(alert.priority), alert.at, alert.rule))
