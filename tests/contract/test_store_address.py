"""How a store is named: every address that works, and a sentence for each that does not."""

import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from streams.stores.open import TOKEN_VARIABLE, open_store
from streams.stores.port import Point, StoreUnavailable
from tests.contract.conftest import Influx
from tests.contract.faulty_proxy import FaultyProxy

T = datetime(2026, 11, 20, 10, tzinfo=UTC)
SECRET = "s3cret-t0ken"  # noqa: S105 - no secret: it is what must not be shown


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite://{tmp}/a/b/ward.db", "a/b/ward.db"),
        ("sqlite:///{tmp}/ward.db", "ward.db"),
        ("sqlite:ward.db", "ward.db"),
        ("sqlite:./a/ward.db", "a/ward.db"),
        ("sqlite:w%20ard.db", "w ard.db"),
    ],
)
def test_a_file_is_named_absolutely_or_relatively(
    url: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both forms open the file that they name, and make the folders to it."""
    monkeypatch.chdir(tmp_path)
    with closing(open_store(url.format(tmp=tmp_path))) as store:
        store.write([Point("probe", {}, {"n": 1}, T)])
    assert (tmp_path / path).is_file()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "no store has the scheme ''"),
        ("ward.db", "no store has the scheme ''"),
        ("postgres://host/x", "no store has the scheme 'postgres'"),
        ("sqlite://ward.db", "three slashes"),
        ("sqlite://", "lacks a path"),
        ("sqlite:///", "lacks a path"),
        ("sqlite:ward.db?mode=ro", "takes no parameters"),
        ("influxdb://", "host:port/org/bucket"),
        ("influxdb://host", "host:port/org/bucket"),
        ("influxdb://host/org", "host:port/org/bucket"),
        ("influxdb://host/org/bucket/more", "host:port/org/bucket"),
        ("influxdb://host:x/org/bucket", "[Pp]ort"),
        (f"influxdb://host/org/bucket?token={SECRET}", "no secret stands in an address"),
        (f"influxdb://{SECRET}@host/org/bucket", "no secret stands in an address"),
        (f"influxdb://user:{SECRET}@host/org/bucket", "no secret stands in an address"),
        ("influxdb://host/org/bucket?batch=1", "not batch"),
        ("influxdb://host/org/bucket?token-file=/proc/version&ca-file=/x", "a ca-file is for TLS"),
        ("influxdb+https://host/org/bucket?token-file=/proc/version&ca-file=/x", "of no use"),
        ("influxdb+https://host/org/bucket?token-file=/proc/version&ca-file=", "of no use"),
        ("influxdb://host/org/bucket", f"set {TOKEN_VARIABLE}"),
        ("influxdb://host/org/bucket?token-file=/nowhere/at-all", "no such file"),
        ("influxdb://host/org/bucket?token-file=", "no such file"),
        ("influxdb://host/org/bucket?token-file=/dev/null", "no such file"),
    ],
)
def test_a_wrong_address_is_explained(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mistake gets a sentence that says what to write, and never repeats a secret."""
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    with pytest.raises(ValueError, match=reason) as refusal:
        open_store(url)
    assert SECRET not in str(refusal.value)


def test_the_token_comes_from_a_file_or_the_environment(
    influxdb_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either way opens the same bucket; the file is preferred where both are there."""
    address, _, token_file = influxdb_address.partition("?token-file=")
    point = Point("probe", {}, {"n": 1.0}, T)
    monkeypatch.setenv(TOKEN_VARIABLE, SECRET)
    with closing(open_store(influxdb_address)) as store:
        store.write([point])
    monkeypatch.setenv(TOKEN_VARIABLE, Path(token_file).read_text())
    with closing(open_store(address)) as store:
        assert list(store.read("probe", T, T.replace(year=2027))) == [point]


@contextmanager
def behind_tls(url: str, certificate: trustme.LeafCert) -> Iterator[int]:
    """Let TLS end at a port of ours, and pass on to ``url`` what was in it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with FaultyProxy(url) as proxy:
        proxy.socket = context.wrap_socket(proxy.socket, server_side=True)
        yield proxy.server_port


def test_a_private_authority_is_believed_where_it_is_named(
    influxdb: Influx, influxdb_address: str, tmp_path: Path
) -> None:
    """Over TLS a point is written with the right ``ca-file``, and with no other."""
    authority, strange = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    strange.cert_pem.write_to_path(tmp_path / "strange.pem")
    point = Point("probe", {}, {"n": 1.0}, T)
    with behind_tls(influxdb.url, authority.issue_cert("127.0.0.1")) as port:
        path = influxdb_address.split("://")[1].partition("/")[2]
        address = f"influxdb+https://127.0.0.1:{port}/{path}"
        for ending in ("", f"&ca-file={tmp_path}/strange.pem"):
            with (
                closing(open_store(address + ending)) as store,
                pytest.raises(StoreUnavailable, match="certificate verify failed"),
            ):
                store.write([point])
        with closing(open_store(f"{address}&ca-file={tmp_path}/ca.pem")) as store:
            store.write([point])
            assert list(store.read("probe", T, T + timedelta(seconds=1))) == [point]
