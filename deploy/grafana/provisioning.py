"""The same build as files, for a Grafana that is set up from files: mount them as its provisioning.

The folder written is what Grafana calls ``provisioning`` (``/etc/grafana/provisioning``). It holds
no token: the data source names the file that Grafana reads it from. What a file sets up cannot be
pushed to, and is read-only in Grafana.
"""

from pathlib import Path

import yaml

from deploy.grafana.build import Build, Json, written
from deploy.grafana.site import FOLDER_TITLE, FOLDER_UID, RULE_GROUP

HOME = "/etc/grafana/provisioning"
_RULES_FOLDER = "inowatch backup rules"
"""Apart from the boards' folder: Grafana reads rules first and would make it with another uid."""
_OF_A_FILE = (
    "uid",
    "title",
    "condition",
    "data",
    "noDataState",
    "execErrState",
    "for",
    "annotations",
    "labels",
)


def files(built: Build, token_file: str) -> dict[str, str]:
    """Return each file's text by its path; ``token_file`` is a path where Grafana runs."""
    source = _literal(built.source) | {
        "secureJsonData": {"token": f"$__file{{{token_file}}}"},
        "editable": False,
    }
    provider = {
        "name": FOLDER_TITLE,
        "folder": FOLDER_TITLE,
        "folderUid": FOLDER_UID,
        "type": "file",
        "allowUiUpdates": False,
        "options": {"path": f"{HOME}/dashboards/inowatch"},
    }
    group = {
        "orgId": 1,
        "name": RULE_GROUP,
        "folder": _RULES_FOLDER,
        "interval": "1m",
        "rules": [
            _literal({key: rule[key] for key in _OF_A_FILE if key in rule}) for rule in built.rules
        ],
    }
    made = {
        "datasources/inowatch.yaml": _yaml({"datasources": [source]}),
        "dashboards/inowatch.yaml": _yaml({"providers": [provider]}),
        "alerting/inowatch.yaml": _yaml({"groups": [group]}),
    }
    for board in built.boards:
        made[f"dashboards/inowatch/{board['uid']}.json"] = written(board)
    return made


def write(made: dict[str, str], folder: Path) -> list[str]:
    """Write the files that differ; return their paths. Other files are left alone."""
    changed = []
    for name, text in made.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(name)
    return changed


def _yaml(body: Json) -> str:
    head = "# Written by `inowatch deploy grafana --provisioning`.\n"
    return head + yaml.safe_dump({"apiVersion": 1} | body, sort_keys=True, width=100)


def _literal(body: Json) -> Json:
    """Keep Grafana from reading a ``$`` as the beginning of a variable's name."""
    doubled: Json = {key: _doubled(value) for key, value in body.items()}
    return doubled


def _doubled(value: object) -> object:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [_doubled(one) for one in value]
    if isinstance(value, dict):
        return {key: _doubled(one) for key, one in value.items()}
    return value
