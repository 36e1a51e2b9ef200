"""A real Kafka with three doors: a plain one, one for certificates and one for logins.

An authority of its own signs the broker's certificate and the client's. Who comes by the plain door
may do everything, and makes the users. So may the client's
certificate, ``ward``; a login may do what it is allowed (``allow``).
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.kafka.broker import Broker

CERTIFICATES, LOGINS = "CERTIFICATES", "LOGINS"
MECHANISM = "SCRAM-SHA-512"
Right = tuple[ResourceType, str, ACLOperation]


class Secured:
    """The broker and the files of its clients, in ``folder``."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker = broker
        self.folder = folder

    def add_user(self, name: str, password: str) -> None:
        """Make a user who may log in."""
        user = UserScramCredentialUpsertion(name, ScramMechanism.SCRAM_SHA_512, password)
        with closing(KafkaAdminClient(bootstrap_servers=self.broker.bootstrap)) as admin:
            admin.alter_user_scram_credentials([user])

    def allow(self, principal: str, rights: Iterable[Right], *, prefixed: bool = False) -> None:
        """Let somebody do something with what is named, or with all that is named so far so."""
        kind_of_name = (
            ACLResourcePatternType.PREFIXED if prefixed else ACLResourcePatternType.LITERAL
        )
        acls = [
            ACL(
                principal,
                "*",
                operation,
                ACLPermissionType.ALLOW,
                ResourcePattern(kind, name, kind_of_name),
            )
            for kind, name, operation in rights
        ]
        with closing(KafkaAdminClient(bootstrap_servers=self.broker.bootstrap)) as admin:
            admin.create_acls(acls)

    def by_certificate(self) -> dict[str, str]:
        """Return the settings of a client that shows its certificate."""
        return {
            "INOWATCH_KAFKA": self.broker.address_of(CERTIFICATES),
            "INOWATCH_KAFKA_SECURITY": "ssl",
            "INOWATCH_KAFKA_CA_FILE": str(self.folder / "ca.pem"),
            "INOWATCH_KAFKA_CERT_FILE": str(self.folder / "client.pem"),
            "INOWATCH_KAFKA_KEY_FILE": str(self.folder / "client.key"),
        }

    def by_login(self, user: str, password: str) -> dict[str, str]:
        """Return the settings of a client that logs in."""
        return {
            "INOWATCH_KAFKA": self.broker.address_of(LOGINS),
            "INOWATCH_KAFKA_SECURITY": "sasl_ssl",
            "INOWATCH_KAFKA_CA_FILE": str(self.folder / "ca.pem"),
            "INOWATCH_KAFKA_USER": user,
            "INOWATCH_KAFKA_PASSWORD_FILE": str(secret(self.folder / f"{user}.password", password)),
        }


def secret(path: Path, text: str) -> Path:
    """Write a file that nobody else may read."""
    path.touch(mode=0o600)
    path.write_text(text)
    return path


@contextmanager
def secured_kafka(folder: Path) -> Iterator[Secured]:
    """Run one for the time of the block."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    strange = trustme.CA()
    strange.cert_pem.write_to_path(folder / "strange-ca.pem")
    for name, signer in (("client", authority), ("strange", strange)):
        client = signer.issue_cert("ward.example", common_name="ward")
        client.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        secret(folder / f"{name}.key", client.private_key_pem.bytes().decode())
    _key_and_certificate(authority, folder / "broker.pem")
    listeners = {CERTIFICATES: "SSL", LOGINS: "SASL_SSL"}
    with Broker(settings=_settings(folder, listeners), listeners=listeners) as broker:
        yield Secured(broker, folder)


def _key_and_certificate(authority: trustme.CA, path: Path) -> None:
    """Write them as Kafka takes them: in one file, the key in PKCS 8."""
    issued = authority.issue_cert("127.0.0.1")
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    secret(path, (text + issued.cert_chain_pems[0].bytes()).decode())


def _settings(folder: Path, listeners: Mapping[str, str]) -> dict[str, str]:
    settings = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:ward",
        "ssl.principal.mapping.rules": "RULE:^.*CN=ward.*$/ward/",
    }
    for name in map(str.lower, listeners):
        door = f"listener.name.{name}"
        settings |= {
            f"{door}.ssl.keystore.type": "PEM",
            f"{door}.ssl.keystore.location": str(folder / "broker.pem"),
            f"{door}.ssl.truststore.type": "PEM",
            f"{door}.ssl.truststore.location": str(folder / "ca.pem"),
        }
    logins = f"listener.name.{LOGINS.lower()}"
    return settings | {
        f"listener.name.{CERTIFICATES.lower()}.ssl.client.auth": "required",
        f"{logins}.sasl.enabled.mechanisms": MECHANISM,
        f"{logins}.{MECHANISM.lower()}.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }
