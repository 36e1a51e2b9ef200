"""Makes what the product needs of an InfluxDB, and says where something else stands in its place.

What is missing is made; a bucket that keeps its data for another time than wanted is told of and
never changed, since a shorter one deletes at once. The tasks are this product's own text and follow
its version. Safe to repeat: after a run that was cut off at any moment the next one ends the same.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from deploy.influxdb.api import InfluxApi, SetupFailed
from deploy.influxdb.minutes import TASKS
from deploy.influxdb.tokens import TOKENS, Place, keep_token
from deploy.secret_files import SecretFolder, fresh, read_secret

ADMIN = "inowatch"
ADMIN_PASSWORD = "influxdb-admin-password"  # noqa: S105 - the name of a file, not a secret
ADMIN_TOKEN = "influxdb-admin-token"  # noqa: S105 - the name of a file, not a secret
_DAY_S = 86_400


class Wanted(Struct, frozen=True, kw_only=True):
    """How it shall be. Days are whole ones; 0 keeps for ever.

    ``bucket`` has the samples and all other records, the one beside it a row a minute.
    """

    url: str
    org: str
    bucket: str
    keep_d: int
    keep_minutes_d: int
    ca_file: Path | None = None

    @property
    def minutes(self) -> str:
        """Name of the bucket with the minutes."""
        return f"{self.bucket}-1m"


class Done(Struct, frozen=True):
    """What was done, and what is wrong and was left: sentences, without secrets."""

    changes: list[str]
    wrong: list[str]


def set_up(wanted: Wanted, secrets: SecretFolder, admin_token_file: Path | None) -> Done:
    """Set the server up, or look whether it is.

    ``admin_token_file`` holds the operator's token; without it the one among ``secrets`` counts,
    and on a fresh server that one is made. Raises ``SetupFailed`` and ``OSError``.
    """
    done = Done([], [])
    with InfluxApi(wanted.url, ca_file=wanted.ca_file) as server:
        is_fresh = bool(server.get("setup")["allowed"])
        token = _operators_token(wanted, secrets, admin_token_file, is_fresh=is_fresh)
        if is_fresh:
            done.changes.append(_onboard(server, wanted, secrets, token))
    with InfluxApi(wanted.url, token, wanted.ca_file) as api:
        org_id = _org(api, wanted.org, done)
        samples = _bucket(api, org_id, wanted.bucket, wanted.keep_d, done)
        minutes = _bucket(api, org_id, wanted.minutes, wanted.keep_minutes_d, done)
        _tasks(api, org_id, wanted, done)
        place = Place(wanted.org, org_id, wanted.bucket, samples, minutes)
        kept = (keep_token(api, secrets, one, place) for one in TOKENS)
        done.changes.extend(sentence for sentence in kept if sentence is not None)
    return done


def _operators_token(
    wanted: Wanted, secrets: SecretFolder, named: Path | None, *, is_fresh: bool
) -> str:
    if named is not None:
        token = read_secret(named)
        if token is None:
            raise SetupFailed(f"{named} is empty: it must hold the operator's token")
        return token
    if is_fresh:
        # Kept before the server has it: were we cut off, the next run would use the same.
        return secrets.kept(ADMIN_TOKEN, fresh)
    token = secrets.read(ADMIN_TOKEN)
    if token is None:
        raise SetupFailed(
            f"InfluxDB at {wanted.url} was set up by somebody else: put its operator token into a"
            " file and name that in INOWATCH_INFLUXDB_ADMIN_TOKEN_FILE"
        )
    return token


def _onboard(server: InfluxApi, wanted: Wanted, secrets: SecretFolder, token: str) -> str:
    asked: dict[str, Any] = {
        "username": ADMIN,
        "password": secrets.kept(ADMIN_PASSWORD, fresh),
        "org": wanted.org,
        "bucket": wanted.bucket,
        "retentionPeriodSeconds": wanted.keep_d * _DAY_S,
        "token": token,
    }
    server.post("setup", asked)
    return (
        f"set InfluxDB at {wanted.url} up: user {ADMIN}, organization {wanted.org},"
        f" bucket {wanted.bucket} (kept {_kept(wanted.keep_d)}); its password and operator token"
        f" are in {secrets.path}"
    )


def _org(api: InfluxApi, name: str, done: Done) -> str:
    found = api.find("orgs", org=name)
    if not found:
        found = [api.post("orgs", {"name": name})]
        done.changes.append(f"made the organization {name}")
    return str(found[0]["id"])


def _bucket(api: InfluxApi, org_id: str, name: str, keep_d: int, done: Done) -> str:
    """Return its id."""
    rules = [{"type": "expire", "everySeconds": keep_d * _DAY_S}] if keep_d else []
    found = api.find("buckets", orgID=org_id, name=name)
    if not found:
        asked = {"orgID": org_id, "name": name, "retentionRules": rules}
        done.changes.append(f"made the bucket {name} (kept {_kept(keep_d)})")
        return str(api.post("buckets", asked)["id"])
    has_s = sum(rule["everySeconds"] for rule in found[0].get("retentionRules", []))
    if has_s != keep_d * _DAY_S:
        has = f"{has_s / _DAY_S:g} days" if has_s else "for ever"
        done.wrong.append(f"bucket {name} keeps its data {has} and should keep it {_kept(keep_d)}")
    return str(found[0]["id"])


def _tasks(api: InfluxApi, org_id: str, wanted: Wanted, done: Done) -> None:
    for task in TASKS:
        script = task.script(wanted.bucket, wanted.minutes)
        found = api.find("tasks", orgID=org_id, name=task.name)
        if not found:
            api.post("tasks", {"orgID": org_id, "flux": script, "status": "active"})
            done.changes.append(f"made the task {task.name}")
            continue
        done.wrong.extend(_unlike(task.name, found))
        if found[0]["flux"] != script:
            api.patch(f"tasks/{found[0]['id']}", {"flux": script})
            done.changes.append(f"brought the task {task.name} up to this version")


def _unlike(name: str, found: list[dict[str, Any]]) -> Iterator[str]:
    if len(found) > 1:
        yield f"there are {len(found)} tasks called {name}: remove all but one"
    if found[0]["status"] != "active":
        yield f"the task {name} was paused: no minutes are computed"


def _kept(days: int) -> str:
    return f"{days} days" if days else "for ever"
