"""Real servers for the contract tests: found, or started here; skipped only with a reason.

With ``CI=true`` a server that cannot be had is a failure, not a skip.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.permission import Permission
from influxdb_client.domain.permission_resource import PermissionResource

from deploy.alertmanager.build import alertmanager_path
from deploy.go_program import CannotBuild
from deploy.influxdb.build import influxd_path
from deploy.influxdb.server import InfluxServer
from streams.stores.open import TOKEN_VARIABLE, open_store
from streams.stores.port import Store

SERVER_VARIABLE = "INOWATCH_INFLUXDB"
_NEED_INFLUXDB = {"influxdb", "influxdb_address", "store_url", "store"}


class Influx(NamedTuple):
    """An InfluxDB to test against; its token may make and delete buckets."""

    url: str
    org: str
    token: str

    def make_bucket(self, keep_s: int = 0) -> str:
        """Make a bucket that keeps points for ``keep_s`` seconds, or for ever; its name."""
        name = f"test-{uuid.uuid4().hex}"
        rule: Any = BucketRetentionRules
        rules = [rule(type="expire", every_seconds=keep_s)] if keep_s else None
        with InfluxDBClient(self.url, self.token, org=self.org) as client:
            client.buckets_api().create_bucket(
                bucket_name=name, org=self.org, retention_rules=rules
            )
        return name

    def delete_bucket(self, name: str) -> None:
        """Delete the bucket and what is in it."""
        with InfluxDBClient(self.url, self.token, org=self.org) as client:
            buckets = client.buckets_api()
            buckets.delete_bucket(buckets.find_bucket_by_name(name))

    def delete_points(self, bucket: str, start: datetime, stop: datetime) -> None:
        """Delete the samples of that time, as a retention does."""
        with InfluxDBClient(self.url, self.token, org=self.org) as client:
            predicate = '_measurement="telemetry"'
            client.delete_api().delete(start, stop, predicate, bucket=bucket, org=self.org)

    @contextmanager
    def reading_token(self, bucket: str) -> Iterator[str]:
        """Make a token that may read the bucket and nothing else, for the time of the block."""
        resource: Any = PermissionResource
        permission: Any = Permission
        with InfluxDBClient(self.url, self.token, org=self.org) as client:
            found = client.buckets_api().find_bucket_by_name(bucket)
            of_bucket = resource(type="buckets", id=found.id, org_id=found.org_id)
            allowed = [permission(action="read", resource=of_bucket)]
            tokens = client.authorizations_api()
            made = tokens.create_authorization(org_id=found.org_id, permissions=allowed)
            yield made.token
            tokens.delete_authorization(made)

    def address(self, bucket: str) -> str:
        """Write the bucket's address for ``open_store``, without the token."""
        protocol, _, host = self.url.partition("://")
        scheme = "influxdb" if protocol == "http" else "influxdb+https"
        return f"{scheme}://{host}/{self.org}/{bucket}"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build influxd and Alertmanager, where they must be built, before any test's limit runs."""
    need = {"influxd"} if SERVER_VARIABLE in os.environ else {"influxd"} | _NEED_INFLUXDB
    asked = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    with suppress(CannotBuild):  # the fixture says it, test by test
        if need & asked:
            influxd_path()
    with suppress(CannotBuild):
        if "alertmanager" in asked:
            alertmanager_path()


@pytest.fixture(scope="session")
def alertmanager() -> Path:
    """Find or build an Alertmanager."""
    try:
        return alertmanager_path()
    except CannotBuild as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def influxd() -> Path:
    """Find or build an influxd program of version 2."""
    try:
        return influxd_path()
    except CannotBuild as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def influxdb(request: pytest.FixtureRequest) -> Iterator[Influx]:
    """Use the InfluxDB of INOWATCH_INFLUXDB (and INOWATCH_INFLUXDB_TOKEN), else start one."""
    url = os.environ.get(SERVER_VARIABLE)
    if url is None:
        with InfluxServer(program=request.getfixturevalue("influxd")) as server:
            yield Influx(server.url, server.org, server.token)
        return
    token = os.environ[TOKEN_VARIABLE]
    with InfluxDBClient(url, token) as client:
        (org, *_) = client.organizations_api().find_organizations()
    yield Influx(url.rstrip("/"), org.name, token)


@pytest.fixture
def influxdb_address(influxdb: Influx, tmp_path: Path) -> Iterator[str]:
    """Address of an empty bucket, gone after the test."""
    token_file = tmp_path / "token"
    token_file.write_text(influxdb.token)
    token_file.chmod(0o600)
    bucket = influxdb.make_bucket()
    yield f"{influxdb.address(bucket)}?token-file={token_file}"
    influxdb.delete_bucket(bucket)


@pytest.fixture(params=["sqlite", "influxdb"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty store, once for each kind there is."""
    if request.param == "sqlite":
        return f"sqlite://{tmp_path}/ward.db"
    address: str = request.getfixturevalue("influxdb_address")
    return address


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open an empty store, once for each kind there is."""
    opened = open_store(store_url)
    yield opened
    opened.close()
