"""Which role reads which topics, and as which consumer group: what can be seen from outside.

A test compares it with what each role's app subscribes to.
"""

from schemas.topics import Topics
from streams.settings import Settings


def app_id(role: str, settings: Settings) -> str:
    """Name the app, and with it the consumer group and the internal topics."""
    return f"{settings.prefix}-{role}"


def topics_read(role: str, names: Topics) -> tuple[str, ...]:
    """List the topics whose offsets the role commits. Raises ``KeyError`` for what is no reader."""
    outputs = (names.alerts, names.pages, names.dead_letters, names.changes)
    seen = (names.views, names.anchors, names.health)
    return {
        "monitor": tuple(names.inputs),
        "recorder": (*names.inputs, *outputs, *seen),
        "pager": (names.alerts,),
        "board": (names.board, names.pages),
        "journal": (names.alerts, names.pages, names.actions, names.changes, names.views),
    }[role]
