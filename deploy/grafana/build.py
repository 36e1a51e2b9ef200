"""All that Grafana is to have, as JSON-ready data: made once, then pushed or written to files.

Pure: the same thresholds and site give the same bytes. The token is no part of it.
"""

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from msgspec import Struct

from deploy.grafana.backup_rules import backup_rules
from deploy.grafana.flux import KIND
from deploy.grafana.operations_board import operations_board
from deploy.grafana.patient_board import patient_board
from deploy.grafana.quality_board import quality_board
from deploy.grafana.site import FOLDER_TITLE, FOLDER_UID, SOURCE_NAME, SOURCE_UID, Site
from deploy.grafana.thresholds import Thresholds
from deploy.grafana.ward_board import ward_board

Json = dict[str, Any]
_BOARDS = (ward_board, patient_board, quality_board, operations_board)


class Build(Struct, frozen=True):
    """A folder, a data source without its token, boards and rules; each has its ``uid``."""

    folder: Json
    source: Json
    boards: tuple[Json, ...]
    rules: tuple[Json, ...]


def build(thresholds: Thresholds, site: Site) -> Build:
    """Make everything for a site."""
    return Build(
        folder={"uid": FOLDER_UID, "title": FOLDER_TITLE},
        source=_source(site),
        boards=tuple(_settled(_plain(make(thresholds, site).build())) for make in _BOARDS),
        rules=tuple(_plain(rule.build()) for rule in backup_rules(thresholds, site)),
    )


def written(data: object) -> str:
    """Write data as a file has it: sorted, indented, with a newline at the end."""
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _source(site: Site) -> Json:
    return {
        "uid": SOURCE_UID,
        "name": SOURCE_NAME,
        "type": KIND,
        "access": "proxy",
        "url": site.store.url,
        "jsonData": {
            "version": "Flux",
            "organization": site.store.org,
            "defaultBucket": site.store.bucket,
            "httpMode": "POST",
        },
    }


def _plain(made: object) -> Json:
    plain: Json = json.loads(JSONEncoder(sort_keys=True).encode(made))
    return plain


def _settled(board: Json) -> Json:
    """Number the panels in reading order, so that a link to one stays good for as long as it does.

    And leave out what the SDK writes into each variable though only those of an interval have it.
    """
    for number, panel in enumerate(board["panels"], start=1):
        panel["id"] = number
    for variable in board["templating"]["list"]:
        for name in ("auto", "auto_min", "auto_count"):
            variable.pop(name, None)
    return board
