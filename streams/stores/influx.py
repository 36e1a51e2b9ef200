"""The production store: InfluxDB 2, through its client but without the client's batching.

Promises the port's contract: a write is one request of at most 5000 lines at a time, and done when
InfluxDB answers 204. The client's own ``WriteApi`` gives a batch up after its retries and its
``flush`` does nothing, so it is not used; waiting and trying again are the caller's part.
"""

import codecs
import gzip
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService

from streams.stores.fitness import EARLIEST, LATEST, refuse, sifted
from streams.stores.flux import Failed, Question, Selection, days_in, number_in, points_in, time_in
from streams.stores.influx_answer import Refused, meaning_of
from streams.stores.line_protocol import line_of
from streams.stores.port import Point, StoreUnavailable

LINES_A_REQUEST = 5000
"""InfluxDB's own advice; about 3 MB before gzip, of the 50 MB that its API takes."""
GZIP_LEVEL = 1
"""A line takes 1.2 us to a tenth of its size; at the client's own level 9 that is 9 us, a quarter
of what InfluxDB then needs to take it in, for a twentieth of the size."""
_WRITTEN = 204
FIRST_SPAN = timedelta(days=1)
LONGEST_SPAN = timedelta(days=64)
SHORTEST_SPAN = timedelta(minutes=1)
ENOUGH_ROWS = 50_000
"""InfluxDB sorts an answer in memory, so a reading is cut into spans of time that grow and shrink
towards this many rows (20 MB); a day at one sample a second from 40 beds would be 3.5 million."""
UNCOUNTED_SPAN = timedelta(hours=1)
ENOUGH_VALUES = 300_000
"""A longer span is counted before it is read, a row having many values: a quiet month may end with
a full ward."""

_Line = tuple[Point, bytes]


class InfluxStore:
    """Points in the bucket ``bucket`` of organization ``org`` at ``url``.

    The token must be allowed to read and write that bucket. Nothing is asked of the server until
    the first reading or writing; each request may take ``timeout_s`` before it counts as failed.
    ``ca_file`` names the authority to believe with https, in place of the public ones.
    """

    def __init__(  # noqa: PLR0913 - four say where it is, two are by name
        self,
        url: str,
        org: str,
        bucket: str,
        token: str,
        *,
        timeout_s: float = 30.0,
        ca_file: str | None = None,
    ) -> None:
        self.place = f"{url}/{org}/{bucket}"
        """Where it is, in words that no other store has; no secret among them."""
        self._org = org
        self._bucket = bucket
        self._client = InfluxDBClient(
            url, token, org=org, timeout=round(timeout_s * 1000), ssl_ca_cert=ca_file
        )
        client: Any = self._client.api_client
        client.set_default_header("Accept-Encoding", "gzip")
        self._writer: Any = WriteService(client)  # type: ignore[no-untyped-call] # the client's own code has few types
        self._reader = self._client.query_api()

    def write(self, points: Sequence[Point]) -> None:
        """Keep ``points`` in requests of 5000 lines; see the port."""
        fit, refused = sifted(points)
        lines = [(point, line_of(kept)) for point, kept in fit]
        for start in range(0, len(lines), LINES_A_REQUEST):
            self._keep(lines[start : start + LINES_A_REQUEST], refused)
        refuse(refused)

    def read(
        self,
        measurement: str,
        start: datetime,
        stop: datetime,
        tags: Mapping[str, str] | None = None,
    ) -> Iterator[Point]:
        """Read in spans of time that adapt to how much there is; see the port."""
        selection = Selection(self._bucket, measurement, tags or {})
        return self._spans(selection, max(start, EARLIEST), min(stop, LATEST))

    def read_fields(
        self, measurement: str, fields: Collection[str], start: datetime, stop: datetime
    ) -> Iterator[Point]:
        """Read as ``read`` does, but of each point only ``fields``: less to sort and to send.

        A point that has none of them is left out.
        """
        selection = Selection(self._bucket, measurement, {}, fields)
        return self._spans(selection, max(start, EARLIEST), min(stop, LATEST))

    def read_text(
        self, measurement: str, text: str, start: datetime, stop: datetime
    ) -> Iterator[Point]:
        """Read as ``read`` does, but of each point only ``text``, in all of its pieces."""
        selection = Selection(self._bucket, measurement, {}, text=text)
        return self._spans(selection, max(start, EARLIEST), min(stop, LATEST))

    def extent(
        self, measurement: str, start: datetime, stop: datetime, fields: Collection[str] = ()
    ) -> tuple[datetime, datetime] | None:
        """Ask for the first and the last point of each series; see the port.

        That is a look at each field of each series; ``fields`` names one that every point has.
        """
        selection = Selection(self._bucket, measurement, {}, fields)
        start, stop = max(start, EARLIEST), min(stop, LATEST)
        if start >= stop:
            return None
        with self._answer(selection.next_time(start, stop)) as lines:
            first = time_in(lines)
        with self._answer(selection.last_time(start, stop)) as lines:
            last = time_in(lines)
        return None if first is None or last is None else (first, last)

    def day_marks(
        self, measurement: str, counted: Collection[str], summed: Collection[str]
    ) -> dict[date, str]:
        """Give each UTC day that has points a mark: another one when it has others.

        It is a digest of how often each series has the fields ``counted``, and of the sums of the
        fields ``summed``: that a point was written over shows where one of these is changed by it.
        """
        span = EARLIEST, LATEST
        questions = (
            Selection(self._bucket, measurement, {}, counted).counted_by_day(*span),
            Selection(self._bucket, measurement, {}, summed).summed_by_day(*span),
        )
        said: dict[date, list[list[tuple[str, str]]]] = {}
        for question in questions:
            with self._answer(question) as lines:
                for day, row in days_in(lines):
                    said.setdefault(day, []).append(row)
        return {day: _digest(sorted(rows)) for day, rows in said.items()}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()  # type: ignore[no-untyped-call] # the client's own code has few types

    def _keep(self, lines: list[_Line], refused: list[tuple[Point, str]]) -> None:
        """Send the lines; where some are refused, find out which by halves.

        A line that was written with an earlier half is written again: that changes nothing. At the
        worst that takes two requests a line, and one where InfluxDB says that it took none of them.
        """
        try:
            self._post(b"\n".join([line for _, line in lines]))
        except Refused as answer:
            if len(lines) in {1, answer.lines}:
                refused += [(point, str(answer)) for point, _ in lines]
                return
            half = len(lines) // 2
            self._keep(lines[:half], refused)
            self._keep(lines[half:], refused)

    def _post(self, body: bytes) -> None:
        with self._talking():
            # Not read by the client: it would take any answer for UTF-8, and a proxy's is not.
            response = self._writer.post_write(
                org=self._org,
                bucket=self._bucket,
                body=gzip.compress(body, GZIP_LEVEL),
                precision="ns",
                content_encoding="gzip",
                _preload_content=False,
            )
            response.drain_conn()
        if response.status != _WRITTEN:
            # The page of a proxy, for example, that asks for a password.
            raise StoreUnavailable(f"what answers for InfluxDB said {response.status}, not 204")

    def _spans(self, selection: Selection, start: datetime, stop: datetime) -> Iterator[Point]:
        span = FIRST_SPAN
        while start < stop:
            end = self._fitting(selection, start, start + min(span, stop - start))
            rows = 0
            with self._answer(selection.points(start, end)) as lines:
                for point in points_in(selection.measurement, lines):
                    rows += 1
                    yield point
            if rows > ENOUGH_ROWS:
                span = max((end - start) / 2, SHORTEST_SPAN)
            else:
                span = min((end - start) * (2 if rows * 2 <= ENOUGH_ROWS else 1), LONGEST_SPAN)
            start = end if rows or end == stop else self._next_time(selection, end, stop)

    def _fitting(self, selection: Selection, start: datetime, end: datetime) -> datetime:
        """Give an end before which there is no more than one answer may hold."""
        while end - start > UNCOUNTED_SPAN:
            with self._answer(selection.count(start, end)) as lines:
                if number_in(lines) <= ENOUGH_VALUES:
                    return end
            end = start + max((end - start) / 2, UNCOUNTED_SPAN)
        return end

    def _next_time(self, selection: Selection, start: datetime, stop: datetime) -> datetime:
        """Where the next point is, so that a year without any costs one question."""
        with self._answer(selection.next_time(start, stop)) as lines:
            return time_in(lines) or stop

    @contextmanager
    def _answer(self, question: Question) -> Iterator[Iterator[str]]:
        """Ask, and give the lines of the answer, fetched as they are read."""
        text, parameters = question
        try:
            with self._talking():
                response = self._reader.query_raw(text, params=parameters)
                try:
                    yield codecs.iterdecode(response, "utf-8")
                finally:
                    response.close()
        except (Refused, Failed) as broken:
            raise StoreUnavailable(f"InfluxDB could not answer: {broken}") from broken

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Turn what the client and the network say into the port's words."""
        try:
            yield
        except ApiException as answer:
            raise meaning_of(answer, self._bucket) from answer
        except (urllib3.exceptions.HTTPError, OSError) as lost:
            raise StoreUnavailable(f"InfluxDB is out of reach: {lost}") from lost


def _digest(said: list[list[tuple[str, str]]]) -> str:
    return hashlib.blake2b(repr(said).encode(), digest_size=16).hexdigest()
