"""The settings of the way to Kafka: what they make, and a sentence for each fault."""

from pathlib import Path

import pytest
import trustme

from streams.kafka_settings import read_access
from streams.settings import InvalidSettings, read_settings
from streams.worker import new_app

KAFKA = {"INOWATCH_KAFKA": "one:9093, two:9093"}
CANARY = "canary-31c9"
LOGIN = {"SECURITY": "sasl_ssl", "USER": "ward", "PASSWORD_FILE": "password"}
PAIR = {"CERT_FILE": "client.pem", "KEY_FILE": "client.key"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Make what a site has: an authority, a client's certificate and key, a password."""
    authority = trustme.CA()
    issued = authority.issue_cert("ward.example")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    for name, text in (
        ("client.key", issued.private_key_pem.bytes()),
        ("password", CANARY.encode() + b"\n"),
        ("empty", b""),
        ("open", CANARY.encode()),
    ):
        (tmp_path / name).write_bytes(text)
        (tmp_path / name).chmod(0o644 if name == "open" else 0o600)
    return tmp_path


def env_of(files: Path, **settings: str) -> dict[str, str]:
    """Write settings out; a value that is the name of a file becomes its path."""
    named = {name: str(files / value) for name, value in settings.items() if name.endswith("FILE")}
    return KAFKA | {f"INOWATCH_KAFKA_{name}": value for name, value in (settings | named).items()}


def test_without_any_it_is_plain() -> None:
    """An address alone is a Kafka without TLS, and each of several addresses is used."""
    access, faults = read_access(KAFKA)
    assert faults == []
    assert access.client() == {"bootstrap_servers": ["one:9093", "two:9093"]}
    assert access.tls() is None


def test_a_login(files: Path) -> None:
    """A login is handed to clients with its TLS, and no way of showing the settings shows it."""
    env = env_of(files, **LOGIN | {"SECURITY": "SASL_SSL", "CA_FILE": "ca.pem"})
    settings = read_settings(env)
    made = settings.kafka.client()
    assert made.pop("ssl_context").check_hostname
    assert made == {
        "bootstrap_servers": ["one:9093", "two:9093"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ward",
        "sasl_plain_password": CANARY,
    }
    assert CANARY not in repr(settings)


def test_faust_is_told_the_same(files: Path) -> None:
    """A worker logs in over TLS, by the mechanism that is set, at each of the addresses."""
    env = env_of(files, **LOGIN, MECHANISM="scram-sha-256")
    told = new_app("pager", read_settings(env)).conf
    made = told.broker_credentials
    assert [str(url) for url in told.broker] == ["kafka://one:9093", "kafka://two:9093"]
    assert (made.protocol.value, made.mechanism.value) == ("SASL_SSL", "SCRAM-SHA-256")
    assert (made.username, made.password) == ("ward", CANARY)
    assert CANARY not in repr(made)


def test_a_certificate(files: Path) -> None:
    """With ``ssl`` a certificate is shown and nobody logs in."""
    env = env_of(files, **{"SECURITY": "ssl", "CA_FILE": "ca.pem"} | PAIR)
    access, faults = read_access(env)
    assert faults == []
    assert access.client().keys() == {"bootstrap_servers", "security_protocol", "ssl_context"}


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"SECURITY": "tls"}, "SECURITY='tls': one of plaintext, ssl, sasl_ssl"),
        ({"SECURITY": "sasl_plaintext"}, "shows its password to the network"),
        ({"USER": "ward", "PASSWORD_FILE": "password"}, "a login without TLS shows its password"),
        ({"CA_FILE": "ca.pem"}, "needs INOWATCH_KAFKA_SECURITY=ssl or sasl_ssl"),
        (LOGIN | {"SECURITY": "ssl"}, "ssl has no login, sasl_ssl has"),
        ({"SECURITY": "sasl_ssl"}, "INOWATCH_KAFKA_USER and INOWATCH_KAFKA_PASSWORD_FILE"),
        ({"SECURITY": "sasl_ssl", "USER": "ward"}, "needs INOWATCH_KAFKA_PASSWORD_FILE"),
        (LOGIN | {"USER": ""}, "needs INOWATCH_KAFKA_USER"),
        (LOGIN | {"MECHANISM": "GSSAPI"}, "'GSSAPI': one of SCRAM-SHA-512, SCRAM-SHA-256, PLAIN"),
        (LOGIN | {"PASSWORD_FILE": "nowhere"}, "nowhere: no such file"),
        (LOGIN | {"PASSWORD_FILE": "."}, "no such file"),
        (LOGIN | {"PASSWORD_FILE": "empty"}, "empty: it is empty"),
        (LOGIN | {"PASSWORD_FILE": "open"}, "others may read or change it (mode 644): chmod 600"),
        (LOGIN | {"CA_FILE": "nowhere"}, "INOWATCH_KAFKA_CA_FILE="),
        (LOGIN | {"CA_FILE": "password"}, "password is of no use for TLS"),
        ({"SECURITY": "ssl", "CERT_FILE": "client.pem"}, "both or none"),
        ({"SECURITY": "ssl", "KEY_FILE": "client.key"}, "both or none"),
        ({"SECURITY": "ssl"} | PAIR | {"KEY_FILE": "open"}, "others may read or change it"),
        ({"SECURITY": "ssl"} | PAIR | {"CERT_FILE": "ca.pem"}, "ca.pem is of no use for TLS"),
    ],
)
def test_a_fault_is_said(files: Path, settings: dict[str, str], fault: str) -> None:
    """Each mistake has one sentence, which shows no secret."""
    _, faults = read_access(env_of(files, **settings))
    assert len(faults) == 1
    assert fault in faults[0]
    assert CANARY not in faults[0]


def test_all_faults_at_once(files: Path) -> None:
    """Whoever mends one fault is not told of the next one only then."""
    settings = {"SECURITY": "ssl", "USER": "ward", "MECHANISM": "x", "KEY_FILE": "open"}
    env = env_of(files, **settings) | {"INOWATCH_KAFKA": "", "INOWATCH_PARTITIONS": "none"}
    with pytest.raises(InvalidSettings) as wrong:
        read_settings(env)
    said = str(wrong.value).splitlines()
    assert len(said) == 6
    assert [line.split("=")[0].split(":")[0] for line in said] == [
        "INOWATCH_KAFKA_MECHANISM",
        "INOWATCH_KAFKA",
        "INOWATCH_KAFKA_USER, INOWATCH_KAFKA_MECHANISM",
        "INOWATCH_KAFKA_KEY_FILE",
        "INOWATCH_KAFKA_KEY_FILE",
        "INOWATCH_PARTITIONS",
    ]
