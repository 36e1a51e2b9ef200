"""Knocks at a Kafka as a client does: TLS, login, and the question whether it serves.

Kafka's clients meet a wrong certificate or a refused login with more attempts until their time is
over, and then say only that. Here each has a sentence of its own, and nothing secret is in it.
"""

import socket
import ssl
import struct
from contextlib import closing, nullcontext
from typing import Any

from kafka.net.sasl import get_sasl_mechanism

from deploy.kafka.access import KafkaAccess
from deploy.kafka.refused import NotLetIn

TIMEOUT_S = 5.0
_METADATA, _HANDSHAKE, _AUTHENTICATE = (3, 2), (17, 1), (36, 0)
"""Each a request of Kafka's protocol and the version of it that is sent."""
_CORRELATION, _NO_CLIENT_ID, _NO_TOPICS = 1, -1, struct.pack(">i", 0)
_UNSUPPORTED_MECHANISM, _ILLEGAL_STATE = 33, 34
_TLS_ALERT = b"\x15\x03"
"""How an answer begins that is TLS; as the size of an answer of Kafka's it would be 350 MB."""
_MOST_BYTES = 65_536
"""Far more than a cluster says of itself here; what is no Kafka may claim anything."""


class _Ended(OSError):
    """The other side ended the conversation without an answer."""


def knock(access: KafkaAccess, host: str, port: int) -> str:
    """Return nothing when the Kafka there lets us in and serves, else why it does not yet.

    Raises ``NotLetIn`` when it never will with these settings.
    """
    tls = access.tls()
    try:
        with (
            socket.create_connection((host, port), TIMEOUT_S) as plain,
            tls.wrap_socket(plain, server_hostname=host) if tls else nullcontext(plain) as line,
        ):
            if access.security == "sasl_ssl":
                _log_in(line, access)
            brokers = struct.unpack_from(">i", _asked(line, _METADATA, _NO_TOPICS))[0]
    except ssl.SSLCertVerificationError as unbelieved:
        raise NotLetIn(
            f"its certificate is not believed: {unbelieved.verify_message};"
            " INOWATCH_KAFKA_CA_FILE names the authority that has signed it"
        ) from None
    except ssl.SSLError as refused:
        reason = refused.reason or str(refused)
        if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
            want = "does not accept our certificate" if access.cert_file else "wants a certificate"
            raise NotLetIn(f"it {want} (INOWATCH_KAFKA_CERT_FILE): {reason}") from None
        return f"TLS fails there ({reason}): is it a port for TLS?"
    except (_Ended, ConnectionResetError, BrokenPipeError):
        hint = {
            "plaintext": "it may ask for TLS or a login (INOWATCH_KAFKA_SECURITY)",
            "ssl": "it may be a port without TLS, or ask for a login (INOWATCH_KAFKA_SECURITY)",
            "sasl_ssl": "it may be a port without TLS",
        }[access.security]
        return f"it hangs up without an answer: {hint}"
    except struct.error:
        return "what answers is no Kafka"
    except TimeoutError:
        return "it does not answer"
    except OSError as error:
        return str(error)
    return "" if brokers > 0 else "no broker of it is in service yet"


def _log_in(line: socket.socket, access: KafkaAccess) -> None:
    """Say who we are and prove it. Raises ``NotLetIn``."""
    answer = _asked(line, _HANDSHAKE, _text(access.mechanism))
    error, count = struct.unpack_from(">hi", answer)
    if error == _ILLEGAL_STATE:
        raise NotLetIn("it takes no login there: INOWATCH_KAFKA_SECURITY=ssl")
    if error == _UNSUPPORTED_MECHANISM:
        offered = ", ".join(_texts(answer[6:], count))
        raise NotLetIn(
            f"it does not take {access.mechanism}, but {offered} (INOWATCH_KAFKA_MECHANISM)"
        )
    mechanism: Any = get_sasl_mechanism(access.mechanism)(**access.client())
    while not mechanism.is_done():
        proof = mechanism.auth_bytes()
        answer = _asked(line, _AUTHENTICATE, struct.pack(">i", len(proof)) + proof)
        error, length = struct.unpack_from(">hh", answer)
        said, rest = answer[4 : 4 + max(length, 0)], answer[4 + max(length, 0) :]
        if error:
            words = said.decode(errors="replace") or f"error {error}"
            raise NotLetIn(f"it refuses the login of {access.user}: {words}")
        try:
            mechanism.receive(rest[4:])
        except (ValueError, KeyError):
            raise NotLetIn("it cannot prove that it knows the password itself") from None


def _asked(line: socket.socket, request: tuple[int, int], body: bytes) -> bytes:
    """Send one request and return what its answer says; ``struct.error`` if it is no answer."""
    message = struct.pack(">hhih", *request, _CORRELATION, _NO_CLIENT_ID) + body
    line.sendall(struct.pack(">i", len(message)) + message)
    with closing(line.makefile("rb")) as stream:
        size = stream.read(4)
        if size.startswith(_TLS_ALERT):
            raise NotLetIn("it speaks TLS there: INOWATCH_KAFKA_SECURITY is ssl or sasl_ssl")
        if not size:
            raise _Ended
        answer = stream.read(max(0, min(struct.unpack(">i", size)[0], _MOST_BYTES)))
    if struct.unpack_from(">i", answer)[0] != _CORRELATION:
        raise struct.error("another question's answer")
    return answer[4:]


def _text(words: str) -> bytes:
    return struct.pack(">h", len(words)) + words.encode()


def _texts(raw: bytes, count: int) -> list[str]:
    """Take ``count`` texts apart, each after its length."""
    found = []
    for _ in range(count):
        end = 2 + struct.unpack_from(">h", raw)[0]
        found.append(raw[2:end].decode(errors="replace"))
        raw = raw[end:]
    return found
