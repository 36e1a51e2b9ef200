"""The three tokens: what each may do, and that it still does it.

The server shows a token once, when it is made, and keeps only its hash. So the file is the token:
as long as it works and the server's rights under its name are the ones wanted, nothing is done.
A file that is lost cannot be filled again: another token is made and the old one revoked.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from deploy.influxdb.api import InfluxApi, SetupFailed
from deploy.secret_files import SecretFolder

_DENIED = {401, 403, 404}
"""Not known, not allowed; a bucket that one may not see is said not to be there."""
_LINES_ASKED_FOR = 400

Right = tuple[str, str, str]
"""Action, type of resource, id of the resource."""


class Token(Struct, frozen=True):
    """A token of one purpose.

    ``file`` is its name among the secrets; ``minutes`` is whether it may do the same in the bucket
    of the minutes.
    """

    file: str
    purpose: str
    action: Literal["read", "write"]
    minutes: bool

    @property
    def description(self) -> str:
        """Name it on the server, where a person may look for it."""
        return f"inowatch: {self.purpose}"


TOKENS = (
    Token("influxdb-write-token", "the recorder writes", "write", minutes=False),
    Token("influxdb-grafana-token", "Grafana reads", "read", minutes=True),
    Token("influxdb-audit-token", "audit and explain read", "read", minutes=True),
)


class Place(Struct, frozen=True):
    """Where tokens are valid: an organization and two of its buckets, each name with its id."""

    org: str
    org_id: str
    bucket: str
    bucket_id: str
    minutes_id: str

    def rights(self, token: Token) -> set[Right]:
        """List what the token may do here."""
        ids = [self.bucket_id, self.minutes_id] if token.minutes else [self.bucket_id]
        return {(token.action, "buckets", number) for number in ids}


def keep_token(api: InfluxApi, secrets: SecretFolder, token: Token, place: Place) -> str | None:
    """Make the token where it is not as it should be; say what was done, if anything was.

    Raises ``SetupFailed`` and ``OSError``.
    """
    wanted = place.rights(token)
    held = [
        found
        for found in api.find("authorizations", orgID=place.org_id)
        if found["description"] == token.description
    ]
    secret = secrets.read(token.file)
    if secret is not None and len(held) == 1 and _is_as_wanted(held[0], wanted):
        if _works(api.holding(secret), token, place):
            closed = secrets.close_to_others(token.file)
            return f"closed {secrets.file(token.file)} to others" if closed else None
        why = "the one in its file does not work"
    elif not held:
        why = ""
    elif secret is None:
        why = "its file was lost"
    else:
        why = "it had other rights"
    # First this: were we cut off in between, the next run would make one all the same.
    for found in held:
        api.delete(f"authorizations/{found['id']}")
    secrets.write(token.file, _made(api, token, place.org_id, wanted))
    made = f"made the token {token.purpose!r} in {secrets.file(token.file)}"
    return f"{made}; {why}, and the old one is revoked" if held else made


def _is_as_wanted(found: Mapping[str, Any], wanted: set[Right]) -> bool:
    has = {
        (right["action"], right["resource"]["type"], right["resource"].get("id", ""))
        for right in found["permissions"]
    }
    return found["status"] == "active" and has == wanted


def _made(api: InfluxApi, token: Token, org_id: str, rights: set[Right]) -> str:
    permissions = [
        {"action": action, "resource": {"type": kind, "id": number, "orgID": org_id}}
        for action, kind, number in sorted(rights)
    ]
    asked = {"orgID": org_id, "description": token.description, "permissions": permissions}
    return str(api.post("authorizations", asked)["token"])


def _works(api: InfluxApi, token: Token, place: Place) -> bool:
    """Try it, leaving nothing behind: a reading of no time, a writing of no lines."""
    try:
        with api:
            if token.action == "read":
                api.query(place.org, f'from(bucket: "{place.bucket}") |> range(start: -1ns)')
            else:
                api.post_lines(b"# nothing", org=place.org, bucket=place.bucket)
    except SetupFailed as refusal:
        if refusal.status == _LINES_ASKED_FOR:
            return True  # it came so far as to be looked at
        if refusal.status in _DENIED:
            return False
        raise
    return True
