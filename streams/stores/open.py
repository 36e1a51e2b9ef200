"""An address to a store. The only place that knows which stores there are.

    sqlite:///var/lib/inowatch/ward.db      an absolute path
    sqlite:ward.db                          a path from the working directory
    influxdb://host:8086/org/bucket?token-file=/run/secrets/influxdb
    influxdb+https://host/org/bucket        the token in INOWATCH_INFLUXDB_TOKEN
    influxdb+https://host/org/bucket?ca-file=/etc/ssl/ward-ca.pem    a private authority

A token never stands in the address: addresses are logged, shown and put into process lists.
"""

import os
import ssl
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from msgspec import Struct

from streams.secret_file import UnfitSecret, secret_in
from streams.stores.port import Store, StoreUnavailable

TOKEN_VARIABLE = "INOWATCH_INFLUXDB_TOKEN"  # noqa: S105 - the name of a variable, not a secret
_FORMS = "sqlite:///path/file.db, sqlite:file.db or influxdb://host:port/org/bucket"
_DEFAULT_PORT = {"influxdb": 8086, "influxdb+https": 443}


def open_store(url: str, *, make: bool = True) -> Store:
    """Open the store at ``url``; ``ValueError`` says what is wrong with the address.

    ``make``: a file that is not there is made, and an earlier version's is brought up to this one;
    a reader that only asks does not want that. Raises ``StoreUnavailable`` and ``WrongStore`` as
    the store itself does.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(parts, make=make)
    if parts.scheme in _DEFAULT_PORT:
        return _influx(parts)
    raise ValueError(f"no store has the scheme {parts.scheme!r}: write {_FORMS}")


def _sqlite(parts: SplitResult, *, make: bool) -> Store:
    from streams.stores.sqlite import SqliteStore

    if parts.netloc:
        raise ValueError(
            f"sqlite://{parts.netloc}{parts.path} names a host: an absolute path has three"
            f" slashes (sqlite:///path/file.db), a relative one none (sqlite:file.db)"
        )
    if parts.query or parts.fragment:
        raise ValueError("a sqlite address is a path only: it takes no parameters")
    if not parts.path.strip("/"):
        raise ValueError("the sqlite address lacks a path: sqlite:///path/file.db")
    path = Path(unquote(parts.path)).expanduser()
    if not make and not path.exists():
        raise StoreUnavailable(f"there is no {path}")
    return SqliteStore(path, bring_up=make)


def _influx(parts: SplitResult) -> Store:
    from streams.stores.influx import InfluxStore

    place = influx_place(parts)
    token = _token(place.token_files)
    return InfluxStore(place.url, place.org, place.bucket, token, ca_file=place.ca_file)


class InfluxPlace(Struct, frozen=True):
    """What an influxdb address names; the last of the token files counts, if any."""

    url: str
    org: str
    bucket: str
    token_files: list[str] | None
    ca_file: str | None


def influx_place(parts: SplitResult) -> InfluxPlace:
    """Read an influxdb address, but no token yet; ``ValueError`` says what is wrong with it."""
    if parts.scheme not in _DEFAULT_PORT:
        raise ValueError(f"{parts.scheme} is no InfluxDB: write influxdb://host:port/org/bucket")
    if "@" in parts.netloc:
        raise ValueError(f"no secret stands in an address: put the token in {TOKEN_VARIABLE}")
    parameters = parse_qs(parts.query, keep_blank_values=True)
    if "token" in parameters:
        raise ValueError("no secret stands in an address: use token-file=/path instead of token")
    unknown = sorted(parameters.keys() - {"token-file", "ca-file"})
    if unknown:
        raise ValueError(
            f"an influxdb address takes token-file and ca-file only, not {', '.join(unknown)}"
        )
    org, _, bucket = parts.path.strip("/").partition("/")
    if not (parts.hostname and org and bucket) or "/" in bucket:
        raise ValueError(f"an influxdb address is {parts.scheme}://host:port/org/bucket")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port or _DEFAULT_PORT[parts.scheme]
    protocol = "https" if parts.scheme.endswith("https") else "http"
    return InfluxPlace(
        url=f"{protocol}://{host}:{port}",
        org=unquote(org),
        bucket=unquote(bucket),
        token_files=parameters.get("token-file"),
        ca_file=_authority(parameters.get("ca-file"), protocol),
    )


def _authority(files: list[str] | None, protocol: str) -> str | None:
    """Check the file with the authority that signed InfluxDB's certificate."""
    if files is None:
        return None
    if protocol != "https":
        raise ValueError("a ca-file is for TLS: write influxdb+https://")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(files[-1])
    except (OSError, ValueError) as useless:
        raise ValueError(f"ca-file {files[-1]} is of no use for TLS: {useless}") from None
    return files[-1]


def _token(files: list[str] | None) -> str:
    """Read the token from its file, or else from the environment; never show it."""
    if files is None:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if token:
            return token
        raise ValueError(f"no token for InfluxDB: set {TOKEN_VARIABLE}, or add ?token-file=/path")
    try:
        return secret_in(Path(files[-1]))
    except UnfitSecret as wrong:
        raise ValueError(f"token file {wrong}") from None
