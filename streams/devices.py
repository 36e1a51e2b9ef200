"""The devices at one patient: what each last said, and what that says of delivery.

One patient may have two devices, at a hand-over. Only together do they say whether nitric oxide is
given; each alone says what it does itself.
"""

from datetime import datetime, timedelta

from alerts.limits import Limits
from schemas.state import DeviceState, PatientState
from schemas.telemetry import Telemetry
from streams.course_machine import Signal


def is_news(patient: PatientState, sample: Telemetry) -> bool:
    """Whether a sample is to be judged: real, not a repeat, not older than the newest judged.

    A late sample is counted and moves no state back.
    """
    if sample.generation not in (None, "real"):
        return False
    device = patient.devices.get(sample.device)
    if device is None or sample.time > device.time:
        return True
    if sample.time < device.time:
        patient.late_samples += 1
        return False
    return sample.seq not in device.seqs


def note_arrival(
    patient: PatientState, device: DeviceState, clock: datetime | None, limits: Limits
) -> None:
    """A device that sends what it had stored is not silent, however old its samples are."""
    late = timedelta() if clock is None else clock - device.time
    patient.lag = max(late, timedelta())
    stale = clock is not None and late >= limits.telemetry_lost.low
    device.heard = clock if stale and clock is not None else device.time


def leading(patient: PatientState, newest: DeviceState) -> str:
    """The device that gives the highest dose; the one that spoke last where none gives any."""
    giving = [device for device in patient.devices.values() if device.active]
    if not giving:
        return newest.name
    return max(giving, key=lambda device: (device.set_ppm or 0.0, device is newest)).name


def device_after(
    patient: PatientState, sample: Telemetry, before: DeviceState | None
) -> DeviceState:
    """The device's own state after the sample; a missing dose leaves the last one standing."""
    device = before or DeviceState(sample.device, sample.time, sample.time, [], sample.mode)
    if before is not None and sample.time > device.time:
        device.seqs = []
    device.time, device.mode = sample.time, sample.mode
    device.seqs.append(sample.seq)
    if sample.mode == "backup":
        device.active = True
    elif sample.mode == "delivering":
        if sample.set_ppm is not None:
            device.set_ppm = sample.set_ppm
        # Delivering at a dose that was never told is delivering; delivering at 0 is an end.
        device.active = device.set_ppm is None or device.set_ppm > 0
    elif sample.mode in ("off", "standby"):
        device.active = False
    patient.devices[sample.device] = device
    return device


def gives(device: DeviceState) -> bool:
    """Whether the patient gets nitric oxide from it, as far as is known."""
    return device.active and device.mode in ("delivering", "backup")


def signal_of(
    patient: PatientState,
    sample: Telemetry,
    device: DeviceState,
    *,
    was_active: bool,
    limits: Limits,
) -> Signal:
    """What the sample says of the patient's delivery, all devices seen together."""
    if sample.mode in ("calibrating", "purging"):
        return "keep"
    if device.active:
        device.gave = sample.time
        for other in patient.devices.values():
            silent = sample.time - other.time
            if other is not device and other.active and silent > limits.telemetry_lost.low:
                # It was handed over without a word: this device has the patient now.
                other.active, other.mode = False, "off"
        return "deliver"
    elsewhere = any(
        other.active and sample.time - other.time <= limits.telemetry_lost.low
        for other in patient.devices.values()
    )
    if elsewhere:
        return "keep"
    still_ended = patient.course is not None and patient.course.phase == "paused"
    return "end" if was_active or still_ended or _gave_last(patient, device) else "keep"


def _gave_last(patient: PatientState, device: DeviceState) -> bool:
    """Whether this device took over from the ones that are silent since, and then ended."""
    if device.gave is None:
        return False
    silent = [other for other in patient.devices.values() if other.active]
    if not silent or any(other.time >= device.gave for other in silent):
        return False
    for other in silent:
        other.active, other.mode = False, "off"
    return True
