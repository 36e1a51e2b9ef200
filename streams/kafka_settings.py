"""The settings of the way to Kafka (INOWATCH_KAFKA...): read, and every fault said at once."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args

from deploy.kafka.access import KafkaAccess, Mechanism, Security
from deploy.kafka.refused import NotLetIn
from streams.secret_file import unfit

_LOGIN = ("INOWATCH_KAFKA_USER", "INOWATCH_KAFKA_PASSWORD_FILE", "INOWATCH_KAFKA_MECHANISM")
_PAIR = ("INOWATCH_KAFKA_CERT_FILE", "INOWATCH_KAFKA_KEY_FILE")
_TLS = ("INOWATCH_KAFKA_CA_FILE", *_PAIR)
_IN_THE_CLEAR = "a login without TLS shows its password to the network"


def read_access(env: Mapping[str, str]) -> tuple[KafkaAccess, list[str]]:
    """Return the way to Kafka and a sentence for each thing wrong with it; with any, do not go."""
    faults: list[str] = []
    word = env.get("INOWATCH_KAFKA_SECURITY", "plaintext").lower()
    security = next((one for one in get_args(Security) if one == word), None)
    if security is None:
        why = f"; {_IN_THE_CLEAR}" if word.startswith("sasl") else ""
        faults.append(f"INOWATCH_KAFKA_SECURITY={word!r}: {_one_of(Security)}{why}")
    named = env.get("INOWATCH_KAFKA_MECHANISM", "SCRAM-SHA-512").upper()
    mechanism = next((one for one in get_args(Mechanism) if one == named), None)
    if mechanism is None:
        faults.append(f"INOWATCH_KAFKA_MECHANISM={named!r}: {_one_of(Mechanism)}")
    access = KafkaAccess(
        address=env.get("INOWATCH_KAFKA", ""),
        security=security or "plaintext",
        ca_file=_path(env, "INOWATCH_KAFKA_CA_FILE"),
        cert_file=_path(env, "INOWATCH_KAFKA_CERT_FILE"),
        key_file=_path(env, "INOWATCH_KAFKA_KEY_FILE"),
        user=env.get("INOWATCH_KAFKA_USER", ""),
        password_file=_path(env, "INOWATCH_KAFKA_PASSWORD_FILE"),
        mechanism=mechanism or "SCRAM-SHA-512",
    )
    if not access.address:
        faults.append("INOWATCH_KAFKA: the broker's address, for example kafka:9092")
    if security is not None:
        faults += _misplaced(env, security)
    faults += _of_files(access)
    if not faults:
        faults += _of_use(access)
    return access, faults


def _misplaced(env: Mapping[str, str], security: Security) -> Iterator[str]:
    """What is set and would do nothing, or is not set and is needed."""
    login = [name for name in _LOGIN if env.get(name)]
    if security == "plaintext":
        if login:
            yield f"{', '.join(login)}: needs INOWATCH_KAFKA_SECURITY=sasl_ssl; {_IN_THE_CLEAR}"
        files = [name for name in _TLS if env.get(name)]
        if files:
            yield f"{', '.join(files)}: needs INOWATCH_KAFKA_SECURITY=ssl or sasl_ssl"
    elif security == "ssl" and login:
        yield f"{', '.join(login)}: ssl has no login, sasl_ssl has (INOWATCH_KAFKA_SECURITY)"
    elif security == "sasl_ssl":
        missing = [name for name in _LOGIN[:2] if not env.get(name)]
        if missing:
            yield f"INOWATCH_KAFKA_SECURITY=sasl_ssl needs {' and '.join(missing)}"
    pair = [name for name in _PAIR if env.get(name)]
    if len(pair) == 1:
        yield f"{pair[0]}: a client certificate is {' and '.join(_PAIR)}, both or none"


def _of_files(access: KafkaAccess) -> Iterator[str]:
    """What is wrong with the files, each by itself."""
    for name, path in (("CA_FILE", access.ca_file), ("CERT_FILE", access.cert_file)):
        if path is not None and not path.is_file():
            yield f"INOWATCH_KAFKA_{name}={path}: no such file"
    for name, path in (("KEY_FILE", access.key_file), ("PASSWORD_FILE", access.password_file)):
        fault = None if path is None else unfit(path)
        if fault is not None:
            yield f"INOWATCH_KAFKA_{name}={path}: {fault}"


def _of_use(access: KafkaAccess) -> Iterator[str]:
    """What only shows when everything is put together."""
    try:
        access.client()
    except NotLetIn as wrong:
        yield f"INOWATCH_KAFKA_...: {wrong}"


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]) if env.get(name) else None


def _one_of(words: object) -> str:
    return f"one of {', '.join(get_args(words))}"
