"""The JSON Schema of a scenario file (draft 2020-12), made from the types and from nothing else.

The frame is that of ``timeline``. What stands under ``sample``, ``with``, ``cycle``, ``lab``,
``course`` and ``action`` has the fields of the record that it becomes, less what the timeline
itself says of it; times are lengths since the start there too. A misspelt field would be ignored on
a topic; in a scenario it would test nothing, so it is refused.
"""

from typing import Any

import msgspec

from schemas.action import Action
from schemas.course import Course
from schemas.lab import Lab
from schemas.telemetry import Telemetry
from streams.scenario.timeline import AGES, LENGTHS, Json, Scenario, Span

_CONTENTS = {
    "sample": ("Telemetry", ["mode"]),
    "with": ("Telemetry", []),
    "lab": ("Lab", []),
    "course": ("Course", []),
    "action": ("Action", ["action"]),
}
"""Key of the timeline: whose fields stand under it, and which of them nothing else says."""
_SAID_BESIDE = {
    "Telemetry": {"type", "time", "device", "patient"},
    "Lab": {"type", "patient"},
    "Course": {"type", "patient"},
    "Action": {"type", "patient"},
}
_SPAN = msgspec.json.schema(Span)
_SPAN_REFERENCE = {"$ref": "#/$defs/Span"}


def scenario_schema() -> Json:
    """Make the schema that ``file`` judges by and that editors may check by while one types."""
    records = (Telemetry, Lab, Course, Action)
    _, contents = msgspec.json.schema_components(records, ref_template="#/$defs/{name}")
    schema = msgspec.json.schema(Scenario)
    definitions = schema["$defs"] | contents
    for name, said in _SAID_BESIDE.items():
        fields = definitions[name]["properties"]
        definitions[name]["properties"] = {key: fields[key] for key in fields if key not in said}
        del definitions[name]["required"]
    for name in contents:
        definitions[name]["additionalProperties"] = False
    entry = definitions["Moment"]["properties"]
    for key, (name, required) in _CONTENTS.items():
        entry[key] = {"$ref": f"#/$defs/{name}", "required": required}
    entry["cycle"]["additionalProperties"] = False
    entry["cycle"]["properties"] = {
        key: {
            "type": "array",
            "items": {"$ref": f"#/$defs/Telemetry/properties/{key}"},
            "minItems": 1,
        }
        for key in definitions["Telemetry"]["properties"]
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of inowatch",
        "$ref": schema["$ref"],
        "$defs": {"Span": _SPAN, **_with_spans(definitions, "")},
    }


def written_schema() -> str:
    """Write the schema as it stands beside the scenarios."""
    return msgspec.json.format(msgspec.json.encode(scenario_schema()), indent=2).decode() + "\n"


def _with_spans(part: Any, name: str) -> Any:
    """Replace each length of time, and each time that is written as one, by a reference."""
    is_length = name in ("time", *LENGTHS, *AGES) and isinstance(part, dict)
    if part == _SPAN or (is_length and part.get("format") == "date-time"):
        return _SPAN_REFERENCE
    if isinstance(part, list):
        return [_with_spans(item, name) for item in part]
    if not isinstance(part, dict):
        return " ".join(part.split()) if name == "description" else part
    return {key: _with_spans(value, name if key == "anyOf" else key) for key, value in part.items()}
