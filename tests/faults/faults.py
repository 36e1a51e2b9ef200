"""The faults, each a small function or two; ``ALONE`` lists them."""

from tests.faults.play import Fault, Scene


def kill_at(*points: str) -> Fault:
    """Kill a worker at points, one after the other, each in its next life; ``NAME:TIMES``."""
    from tests.faults.points import POINTS

    def before(scene: Scene) -> None:
        for point in points:
            role = POINTS[point.partition(":")[0]].role
            scene.stage.lives[f"{role}-0"].append({"INOWATCH_FAULT_KILL": point})

    return Fault(name=f"kill {', '.join(points)}", before=before)
