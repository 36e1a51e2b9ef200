"""Kafka's users: a login for each, with its password in a file, and what it may do.

What is missing is made. A login that is there is left, since Kafka tells nobody a password: as long
as its file is there too, the two are taken for one. What a user may do beyond what is wanted is
told and left, because somebody may have had a reason. Whoever calls has the brokers' trust.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from msgspec import Struct

from deploy.kafka.cluster import Cluster, ClusterError
from deploy.secret_files import SecretFolder, fresh

Kind = Literal["topic", "group"]
May = Literal["read", "write", "describe"]

_MECHANISM = ScramMechanism.SCRAM_SHA_512
_ITERATIONS = 8192
"""Twice Kafka's least; the passwords are of 256 random bits, so more would only cost time."""
_ANY_HOST = "*"


class Grant(Struct, frozen=True, order=True):
    """One thing that a user may do; ``prefixed``: with all whose name begins so."""

    kind: Kind
    name: str
    may: May
    prefixed: bool = False

    def __str__(self) -> str:
        """Write it as people say it."""
        return f"{self.may} {self.kind} {self.name}{'*' if self.prefixed else ''}"


class Done(Struct, frozen=True):
    """What was done, and what is wrong and was left: sentences, without secrets."""

    changes: list[str]
    wrong: list[str]


def password_file(user: str) -> str:
    """Name the file of a user's password among the secrets."""
    return f"kafka-{user}-password"


def keep_users(
    cluster: Cluster, wanted: Mapping[str, frozenset[Grant]], secrets: SecretFolder
) -> Done:
    """Make the users and grants that are missing. Safe to repeat.

    Raises ``ClusterError``, ``OSError``, and what Kafka's client raises.
    """
    done = Done([], [])
    known = _logins(cluster, wanted)
    for user, grants in sorted(wanted.items()):
        file = password_file(user)
        if user not in known or secrets.read(file) is None:
            _make_login(cluster, user, secrets)
            done.changes.append(f"made the login of {user}; its password is in {file}")
        held = set(_held(cluster, user))
        missing, more = sorted(grants - held), sorted(held - grants, key=str)
        if missing:
            _allow(cluster, user, missing)
            done.changes.append(f"{user} may now {', '.join(map(str, missing))}")
        if more:
            done.wrong.append(f"{user} may more than it needs: {', '.join(map(str, more))}")
    return done


def _logins(cluster: Cluster, users: Mapping[str, object]) -> set[str]:
    answer = cluster.client.describe_user_scram_credentials(list(users))
    return {
        user
        for user, found in answer.items()
        if any(one["mechanism"] == _MECHANISM for one in found["credential_infos"])
    }


def _make_login(cluster: Cluster, user: str, secrets: SecretFolder) -> None:
    """Make it with the password of its file: cut off before the broker knew, it is used now."""
    password = secrets.kept(password_file(user), fresh)
    made = UserScramCredentialUpsertion(user, _MECHANISM, password, iterations=_ITERATIONS)
    refusal = cluster.client.alter_user_scram_credentials([made]).get(user)
    if refusal is not None:
        raise ClusterError(f"Kafka did not make the login of {user}: {refusal}")


def _held(cluster: Cluster, user: str) -> Iterator[Grant | str]:
    """Yield what the user was allowed; what is no grant of ours as words."""
    everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    asked = ACLFilter(f"User:{user}", None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
    found: list[Any] = cluster.client.describe_acls(asked)[0]
    for acl in found:
        pattern = acl.resource_pattern
        prefixed = pattern.pattern_type is ACLResourcePatternType.PREFIXED
        kind, may = pattern.resource_type.name.lower(), acl.operation.name.lower()
        ours = Grant(kind, pattern.resource_name, may, prefixed)
        is_plain = acl.permission_type is ACLPermissionType.ALLOW and acl.host == _ANY_HOST
        yield ours if is_plain else f"{acl.permission_type.name} from {acl.host}: {ours}"


def _allow(cluster: Cluster, user: str, grants: list[Grant]) -> None:
    acls = [
        ACL(
            f"User:{user}",
            _ANY_HOST,
            ACLOperation[grant.may.upper()],
            ACLPermissionType.ALLOW,
            ResourcePattern(
                ResourceType[grant.kind.upper()],
                grant.name,
                ACLResourcePatternType.PREFIXED
                if grant.prefixed
                else ACLResourcePatternType.LITERAL,
            ),
        )
        for grant in grants
    ]
    failed = cluster.client.create_acls(acls)["failed"]
    if failed:
        raise ClusterError(f"Kafka did not allow {user} everything: {failed[0].__name__}")
