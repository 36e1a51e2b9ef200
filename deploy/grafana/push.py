"""Bring a Grafana to what was built: make what is missing, change what differs, leave the rest.

What is there is *as built* when it says all that the build says; what Grafana adds of its own does
not count. What came from files belongs to the files: the push refuses before it writes anything.
A token cannot be read back, so a digest of it stands beside it and tells when it has changed.
"""

import hashlib
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from deploy.grafana.build import Build, Json
from deploy.grafana.port import Grafana, GrafanaError
from deploy.grafana.site import FOLDER_UID

Outcome = Literal["made", "changed", "unchanged"]
_RULES = "/v1/provisioning/alert-rules"


class Step(Struct, frozen=True):
    """What became of one thing."""

    kind: str
    name: str
    outcome: Outcome


class _Thing(Struct, frozen=True):
    """One thing: where it is, what it has to say, and what is there now (``None``: nothing)."""

    kind: str
    name: str
    place: str
    body: Json
    now: Json | None


def push(built: Build, token: str, grafana: Grafana) -> Iterator[Step]:
    """Do it, a step after the other. ``token`` reads InfluxDB. Raises ``GrafanaError``."""
    folder = _there("folder", "/folders", built.folder, built.folder["title"], grafana)
    source_body = _with_token(built.source, token)
    source = _there("data source", "/datasources/uid", source_body, built.source["name"], grafana)
    boards = [
        _there("board", "/dashboards/uid", board, board["title"], grafana) for board in built.boards
    ]
    rules = [_there("rule", _RULES, rule, rule["title"], grafana) for rule in built.rules]
    _refuse_files(source, boards, rules)
    yield _settle(folder, "/folders", grafana, {"overwrite": True})
    secret = {"secureJsonData": {"token": token}}
    yield _settle(source, "/datasources", grafana, secret, on_making=secret)
    for board in boards:
        yield _save_board(board, grafana)
    for rule in rules:
        yield _settle(rule, _RULES, grafana, {})


def says(there: object, wanted: object) -> bool:
    """Whether what is there says all that is wanted; beside that it may say more."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        return all(key in there and says(there[key], value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(there, list):
        return len(there) == len(wanted) and all(map(says, there, wanted))
    return there == wanted


def _there(kind: str, folder: str, body: Json, name: str, grafana: Grafana) -> _Thing:
    place = f"{folder}/{body['uid']}"
    return _Thing(kind, name, place, body, grafana.read(place))


def _with_token(source: Json, token: str) -> Json:
    digest = hashlib.blake2b(token.encode(), digest_size=8).hexdigest()
    return source | {"jsonData": source["jsonData"] | {"inowatchTokenDigest": digest}}


def _refuse_files(source: _Thing, boards: list[_Thing], rules: list[_Thing]) -> None:
    of_files = [
        board.name for board in boards if board.now and board.now["meta"].get("provisioned")
    ]
    if source.now and source.now.get("readOnly"):
        of_files.append(source.name)
    of_files += [rule.name for rule in rules if rule.now and rule.now.get("provenance") == "file"]
    if of_files:
        raise GrafanaError(
            f"{', '.join(of_files)}: provisioned from files in this Grafana, so nothing is pushed;"
            " change them with `inowatch deploy grafana --provisioning`, or take the files away"
        )


def _settle(
    thing: _Thing, folder: str, grafana: Grafana, on_change: Json, *, on_making: Json | None = None
) -> Step:
    if thing.now is None:
        grafana.make(folder, thing.body | (on_making or {}))
        return Step(thing.kind, thing.name, "made")
    # A rule's organization is that of the token, whatever the body says.
    if says(thing.now, {key: value for key, value in thing.body.items() if key != "orgID"}):
        return Step(thing.kind, thing.name, "unchanged")
    grafana.change(thing.place, thing.body | on_change)
    return Step(thing.kind, thing.name, "changed")


def _save_board(board: _Thing, grafana: Grafana) -> Step:
    # A newer Grafana raises the version of the form by itself.
    said = {key: value for key, value in board.body.items() if key != "schemaVersion"}
    if says(board.now, {"dashboard": said, "meta": {"folderUid": FOLDER_UID}}):
        return Step(board.kind, board.name, "unchanged")
    # Without its folder a board moves to the root.
    grafana.make(
        "/dashboards/db",
        {
            "dashboard": board.body,
            "folderUid": FOLDER_UID,
            "message": "inowatch deploy grafana",
            "overwrite": True,
        },
    )
    return Step(board.kind, board.name, "made" if board.now is None else "changed")
