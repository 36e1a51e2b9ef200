"""Which alarms of a device say the same as which rule: data in ``device_codes.toml``.

There is no standard code for alarms of nitric oxide devices, so each maker's words are mapped here.
A code is compared in lower case with its separators as hyphens.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files

_SEPARATORS = re.compile(r"[^a-z0-9]+")


@cache
def _codes() -> dict[str, tuple[str, ...]]:
    """Map each code to the rules that say the same."""
    text = files("alerts").joinpath("device_codes.toml").read_text()
    found: dict[str, tuple[str, ...]] = {}
    for rule, codes in tomllib.loads(text).items():
        for code in (rule, *codes):
            found[code] = (*found.get(code, ()), rule)
    return found


@cache
def rules_for(code: str) -> tuple[str, ...]:
    """Return the rules that say the same as a device's alarm; none where nobody knows."""
    return _codes().get(_SEPARATORS.sub("-", code.lower()).strip("-"), ())
