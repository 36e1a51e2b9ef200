"""`inowatch audit`, as it is used: forms, wrong use, the same bytes from the same input."""

import csv
import hashlib
import io
import json
import os
import pty
import re
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from schemas.encode import encode
from schemas.lab import METHEMOGLOBIN, Lab
from schemas.telemetry import Telemetry
from streams.audit.answer import Answer, canonical_csv, digest
from streams.audit.catalogue import read_catalogue
from streams.audit.engine import Asked, ask
from streams.audit.forms.html import html
from streams.audit.forms.plots import pictures
from streams.audit.forms.text import csv as as_csv
from streams.audit.forms.text import json as as_json
from streams.audit.forms.text import parquet, table
from streams.audit.question import InvalidQuestion, filled
from streams.cli import main
from streams.replay import replay
from streams.simulate.ward import ward
from streams.stores.open import open_store
from streams.stores.points import points_of
from streams.ward import Ward

START = datetime(2026, 3, 1, tzinfo=UTC)
EVIL = '<script>alert("x")</script>, =1+1'
CATALOGUE = read_catalogue()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with a simulated ward and what its core says, and a patient in an evil unit."""
    address = f"sqlite:{tmp_path_factory.mktemp('audit')}/ward.db"
    arrivals = list(ward(2, "dose-high", 3, START, START, START + timedelta(hours=13)))
    inputs = [one.record for one in arrivals if one.at.second == 0 or not _is_sample(one.record)]
    alerts = replay(map(encode, inputs), Ward(), lambda *_: None)
    evil = [
        Telemetry(
            time=START + timedelta(minutes=minute),
            device="d",
            patient="p-evil",
            unit=EVIL,
            bed="1",
            mode="delivering",
            set_ppm=20.0,
        )
        for minute in range(600)
    ]
    check = Lab(
        time=START + timedelta(hours=5),
        id="l",
        patient="p-evil",
        code=METHEMOGLOBIN,
        status="final",
        value=1.0,
        unit="%",
    )
    with closing(open_store(address)) as store:
        store.write([p for record in (*inputs, *alerts, *evil, check) for p in points_of(record)])
    return address


def _is_sample(record: object) -> bool:
    return isinstance(record, Telemetry)


def answer(address: str, name: str, **more: object) -> Answer:
    """Ask without a command line."""
    question = CATALOGUE.named(name)
    asked = Asked(question=question, parameters=filled(question, {}), **more)  # type: ignore[arg-type] # unit, as given
    with closing(open_store(address)) as store:
        return ask(store, CATALOGUE, asked, lambda _: None)


def inowatch(*words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command line with no store but what is named."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("INOWATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "audit", *words],
        capture_output=True,
        check=False,
        timeout=60,
        env=env | environment,
    )


@pytest.mark.parametrize("form", [table, as_csv, as_json, parquet, html])
def test_the_same_input_gives_the_same_bytes(address: str, form: object) -> None:
    """Asked twice, of the same store, every form is the same to the byte."""
    assert callable(form)
    for name in ("first-methb", "alarm-performance"):
        assert form(answer(address, name)) == form(answer(address, name))


def test_csv_carries_its_digest(address: str) -> None:
    """What follows the head of the CSV has the sha256 that the head names."""
    lines = as_csv(answer(address, "first-methb")).decode().splitlines(keepends=True)
    head = [line for line in lines if line.startswith("# ")]
    body = "".join(lines[len(head) :])
    said = next(line.split()[-1] for line in head if line.startswith("# sha256"))
    assert hashlib.sha256(body.encode()).hexdigest() == said
    assert [line.split(":")[0][2:] for line in head] == [
        *("question", "asks", "period", "unit", "parameters", "inowatch", "judged by"),
        *("rows", "n", "coverage", "sha256"),
    ]


def test_forms_say_the_same(address: str) -> None:
    """CSV, JSON and Parquet are read back to the same rows, with the head beside them."""
    found = answer(address, "first-methb")
    patients = found.column("patient")
    assert len(patients) == 3
    body = io.StringIO(as_csv(found).decode().split("# sha256")[1].split("\n", 1)[1])
    rows = list(csv.DictReader(body))
    assert [row["patient"] for row in rows] == patients
    assert [row["result"] for row in rows] == found.column("result")
    whole = json.loads(as_json(found))
    assert [row["patient"] for row in whole["rows"]] == patients
    assert whole["columns"] == found.columns
    assert (whole["row_count"], whole["rules"]) == (3, list(found.head.rules))
    kept = pq.read_table(io.BytesIO(parquet(found)))
    assert digest(kept) == found.head.sha256
    assert json.loads(kept.schema.metadata[b"inowatch"])["sha256"] == found.head.sha256


def test_csv_tells_nothing_from_an_empty_text(address: str) -> None:
    """NULL is an empty cell; texts with commas, quotes or a # are quoted."""
    found = answer(address, "first-methb", unit=EVIL)
    text = canonical_csv(found.table)
    assert '"<script>alert(""x"")</script>, =1+1"' in text
    assert next(csv.DictReader(io.StringIO(text)))["unit"] == EVIL


def test_the_page_needs_nothing_else(address: str) -> None:
    """No script, nothing fetched; what people typed is text; words stand beside each colour."""
    page = html(answer(address, "first-methb")).decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(?!data:)[a-z]+:", page)
    assert re.search(r"\d of 3 courses checked 4 to 8 h after the start", page)
    assert "✓ in time" in page
    assert "no verdict on care" in page


def test_the_page_begins_with_a_sentence(address: str) -> None:
    """What the question says is filled with the sums of its columns; a wrong name is a fault."""
    found = answer(address, "judged-by")
    total = sum(found.column("n_alerts"))
    said = replace(found, question=replace(found.question, says="{n_alerts} < alerts."))
    assert f'<p class="sentence">{total} &lt; alerts.</p>' in html(said).decode()
    wrong = replace(found, question=replace(found.question, says="{alerts}"))
    with pytest.raises(InvalidQuestion, match=r"\{alerts\}"):
        html(wrong)
    named = replace(found, question=replace(found.question, headings={"alerts": "Alerts"}))
    with pytest.raises(InvalidQuestion, match="no column 'alerts'"):
        html(named)
    headed = replace(found, question=replace(found.question, headings={"rule": "Of {limit}"}))
    with pytest.raises(InvalidQuestion, match=r"\{limit\}, which is no parameter"):
        html(headed)


def test_pictures_have_words(address: str) -> None:
    """A picture is an SVG without a date, and a sentence says what it shows."""
    (picture,) = pictures(answer(address, "alarm-performance"))
    assert ET.fromstring(picture.svg).tag.endswith("svg")  # noqa: S314 - our own picture
    assert b"<dc:date>" not in picture.svg
    assert re.match(r"Alerts by rule: most for [a-z0-9-]+, \d+\.", picture.words)


def test_pictures_take_any_name(address: str) -> None:
    """Names in other scripts, with signs of mathematics or control characters, can be drawn."""
    found = answer(address, "alarm-performance")
    names = pa.array(
        [["新生儿 $x_1$", "a\x00b", "<&>"][at % 3] for at in range(found.table.num_rows)]
    )
    at = found.columns.index("rule")
    (picture,) = pictures(replace(found, table=found.table.set_column(at, "rule", names)))
    texts = "".join(ET.fromstring(picture.svg).itertext())  # noqa: S314 - our own picture
    assert "新生儿 $x_1$" in texts
    assert "a?b" in texts
    assert "<&>" in texts


def test_an_empty_answer_is_said(address: str) -> None:
    """Where there is nothing it says so, in every form for people, and exits with 0."""
    done = inowatch("first-methb", "--store", address, "--unit", "nowhere")
    assert done.returncode == 0
    said = b"No courses: nothing of this kind is on record for this period in unit nowhere."
    assert said in done.stdout
    page = inowatch("silences", "--store", address, "--format", "html")
    assert (
        b"No silences: nothing of this kind is on record for this period in any unit."
        in page.stdout
    )


def test_out_writes_a_file(address: str, tmp_path: Path) -> None:
    """With --out nothing is printed, and the file holds what would have been."""
    file = tmp_path / "answer.parquet"
    words = ("courses", "--store", address, "--format", "parquet")
    done = inowatch(*words, "--out", str(file))
    assert (done.returncode, done.stdout) == (0, b"")
    assert file.read_bytes() == inowatch(*words).stdout


def test_a_bar_is_for_terminals(address: str) -> None:
    """Where stderr is a terminal a bar says how far it has read; elsewhere nothing is said."""
    words = ("courses", "--store", address, "--to", "2026-03-01T13:00Z")
    assert inowatch(*words).stderr == b""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "streams.cli", "audit", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, timeout=60, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert b"reading samples" in shown
    assert b"100%" in shown
    assert done.stdout == inowatch(*words).stdout


def test_the_list_names_every_question() -> None:
    """--list, and no name at all, give a line for each question."""
    listed = inowatch("--list")
    assert listed.returncode == 0
    lines = listed.stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == list(CATALOGUE.questions)
    assert inowatch().stdout == listed.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("first-metb",), "did you mean first-methb"),
        (("first-methb", "--from", "2026-03-01T00:00:00"), "has no offset"),
        (("first-methb", "--from", "2026-03-02T00:00Z", "--to", "2026-03-01T00:00Z"), "--from is"),
        (("first-methb", "--from", "2026-03-02T00:00Z", "--to", "2026-03-02T01:00+01:00"), "--fr"),
        (("first-methb", "--set", "due_h"), "write NAME=VALUE"),
        (("first-methb", "--set", "due_h=soon"), "due_h is a number"),
        (("first-methb", "--set", "dose=1"), "has no parameter 'dose'"),
        (("first-methb", "--store", "oracle:x"), "no store has the scheme"),
        (("first-methb", "--format", "pdf"), "is not one of"),
    ],
)
def test_wrong_use(words: tuple[str, ...], said: str) -> None:
    """What cannot be meant is refused with its reason, exit code 2, and nothing on stdout."""
    done = CliRunner().invoke(main, ["audit", *words], env={"INOWATCH_STORE": "sqlite:nowhere.db"})
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())


def test_without_a_store_it_says_how(tmp_path: Path) -> None:
    """No store and no demo before: wrong use; a store that is not there: failed."""
    nothing = inowatch("first-methb", INOWATCH_DATA=str(tmp_path))
    assert nothing.returncode == 2
    assert b"--store ADDRESS or INOWATCH_STORE" in nothing.stderr
    lost = inowatch("first-methb", "--store", f"sqlite:{tmp_path}/none.db")
    assert (lost.returncode, lost.stdout) == (1, b"")
    assert b"there is no" in lost.stderr
    assert list(tmp_path.iterdir()) == []
