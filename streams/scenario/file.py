"""A scenario file read and checked as a whole: every fault with its line and column, at once."""

from pathlib import Path

import msgspec

from streams.scenario.conformity import departures
from streams.scenario.nodes import (
    NotYaml,
    Where,
    compose,
    fault,
    node_at,
    plain,
    structural_faults,
)
from streams.scenario.schema import scenario_schema
from streams.scenario.sense import senseless
from streams.scenario.timeline import InvalidScenario, Scenario


def read_scenario(path: Path) -> Scenario:
    """Read one file. Raises ``InvalidScenario``, whose message names every fault on a line."""
    try:
        root = compose(path.read_bytes())
    except NotYaml as wrong:
        raise InvalidScenario(f"{path}:{wrong}") from None
    document = plain(root)
    found = [*structural_faults(root), *departures(root, scenario_schema())]

    def sound(where: Where) -> bool:
        """Whether no fault is known of that part, in it or around it."""
        return not any(one.where[: len(where)] == where[: len(one.where)] for one in found)

    if isinstance(document, dict):
        strange = list(senseless(document, sound))
        found += [fault(node_at(root, where), where, why) for where, why in strange]
    if found:
        # A part that breaks two promises at once may be found by both.
        lines = dict.fromkeys(str(one) for one in sorted(found, key=lambda one: one[:2]))
        raise InvalidScenario("\n".join(f"{path}:{line}" for line in lines))
    return msgspec.convert(document, Scenario)
