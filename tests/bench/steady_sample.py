"""A sample of a bed under steady therapy: readings move a little, and nothing is due."""

from datetime import datetime

from schemas.telemetry import Telemetry


def steady_sample(bed: int, number: int, time: datetime, cylinder_bar: float = 120.0) -> Telemetry:
    """Make sample ``number`` of the bed; a dozen beds are a unit."""
    return Telemetry(
        time=time,
        device=f"ino-{bed:06}",
        patient=f"p{bed:012x}",
        unit=f"nicu-{bed // 12}",
        bed=f"{bed // 12}-{bed % 12:02}",
        mode="delivering",
        seq=number,
        set_ppm=20.0,
        no_ppm=19.5 + (bed + number) % 10 / 10,
        no2_ppm=0.1 + (bed + number) % 7 / 100,
        fio2_pct=60.0,
        spo2_pct=91.0 + (bed + number) % 3,
        cylinder_bar=cylinder_bar,
    )
