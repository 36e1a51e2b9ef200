"""The way to Kafka: its addresses, and the TLS and the login that it asks for.

The one place that makes of these what a client takes. A password is read from its file whenever a
client is made and is kept in no attribute, so that nothing which shows an access shows it.
"""

import ssl
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from deploy.kafka.refused import NotLetIn

Security = Literal["plaintext", "ssl", "sasl_ssl"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]


class KafkaAccess(Struct, frozen=True):
    """How one process reaches Kafka; ``streams.kafka_settings`` reads and checks it.

    ``address`` is ``HOST:PORT``, or several with commas. Without ``ca_file`` the system's
    authorities are believed. ``cert_file`` and ``key_file`` are a client certificate. ``user``,
    ``password_file`` and ``mechanism`` are the login where ``security`` is ``sasl_ssl``.
    """

    address: str
    security: Security = "plaintext"
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    user: str = ""
    password_file: Path | None = None
    mechanism: Mechanism = "SCRAM-SHA-512"

    @property
    def servers(self) -> list[str]:
        """Each address by itself."""
        return [address.strip() for address in self.address.split(",")]

    def tls(self) -> ssl.SSLContext | None:
        """Make what TLS takes; ``None`` without TLS. Raises ``NotLetIn`` for files of no use."""
        if self.security == "plaintext":
            return None
        file = self.ca_file
        try:
            context = ssl.create_default_context(cafile=file)
            if self.cert_file is not None:
                file = self.cert_file
                # Without a password OpenSSL would ask for one at the terminal.
                context.load_cert_chain(file, self.key_file, password="")
        except (OSError, ValueError) as wrong:
            raise NotLetIn(f"{file} is of no use for TLS: {wrong}") from None
        return context

    def password(self) -> str:
        """Read the password. Raises ``NotLetIn`` when there is none to read."""
        if self.password_file is None:
            raise NotLetIn("no password file is set")
        try:
            return self.password_file.read_text(encoding="utf-8").strip()
        except OSError as wrong:
            raise NotLetIn(f"{self.password_file} cannot be read: {wrong.strerror}") from None
        except UnicodeDecodeError:
            # Python's own words would show what stands in the file.
            raise NotLetIn(f"{self.password_file} is no text in UTF-8") from None

    def client(self) -> dict[str, Any]:
        """Return what every client is made with, of kafka-python as of aiokafka.

        Raises ``NotLetIn`` when a file cannot be used.
        """
        options: dict[str, Any] = {"bootstrap_servers": self.servers}
        if self.security != "plaintext":
            options |= {"security_protocol": self.security.upper(), "ssl_context": self.tls()}
        if self.security == "sasl_ssl":
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password(),
            }
        return options
