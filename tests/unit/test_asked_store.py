"""What the commands that read history share: which store, which times, which units and words."""

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import main
from streams.stores.open import open_store
from streams.stores.points import points_of
from tests.unit.audit_asked import samples

TWO = ("--profile", "default", "--profile", "floor-2")
NOBODY = "0" * 32
READERS = {
    "audit": ("audit", "courses"),
    "whatif": ("whatif", *TWO),
    "explain": ("explain", NOBODY),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Leave what a demo would leave, in a folder of its own."""
    with closing(open_store(f"sqlite:{tmp_path}/demo.sqlite")) as store:
        store.write([point for one in samples("p", [(0, 20)], 1) for point in points_of(one)])
    return tmp_path


def run(*words: str, data: Path, store: str | None = None) -> Result:
    """Run the command line where the demo's data are in ``data``."""
    env = {"INOWATCH_DATA": str(data), "INOWATCH_STORE": store}
    return CliRunner().invoke(main, words, env=env)


@pytest.mark.parametrize("reader", READERS)
def test_without_a_name_the_demo_is_asked(reader: str, home: Path) -> None:
    """Each command reads what the last demo recorded, and says so on stderr."""
    done = run(*READERS[reader], data=home)
    assert f"asking what the last demo recorded, {home / 'demo.sqlite'}" in done.stderr
    if reader == "explain":
        assert (done.exit_code, done.stdout) == (1, "")
        assert f"demo.sqlite holds no alert {NOBODY}" in done.stderr
    else:
        assert done.exit_code == 0
        assert done.stdout


@pytest.mark.parametrize("reader", READERS)
def test_a_named_store_comes_first(reader: str, home: Path) -> None:
    """INOWATCH_STORE is asked where it is set, and nothing is said about a demo."""
    done = run(*READERS[reader], data=home, store=f"sqlite:{home}/none.db")
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"there is no {home}/none.db" in done.stderr
    assert "demo" not in done.stderr.replace(str(home), "")


def test_a_store_in_this_folder_comes_before_a_demo(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `inowatch run` writes without a named store is what is asked there."""
    monkeypatch.chdir(tmp_path)
    (home / "demo.sqlite").rename(tmp_path / "inowatch.sqlite")
    done = run(*READERS["audit"], data=home)
    assert (done.exit_code, "demo" in done.stderr) == (0, False)
    assert f"asking {tmp_path / 'inowatch.sqlite'}" in done.stderr


@pytest.mark.parametrize("reader", READERS)
def test_with_neither_it_is_said_how(reader: str, tmp_path: Path) -> None:
    """Without a name and without a demo it is wrong use, with the way out."""
    done = run(*READERS[reader], data=tmp_path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--store ADDRESS or INOWATCH_STORE" in done.stderr


@pytest.mark.parametrize(
    "time",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1899-12-31T00:00Z"],
)
@pytest.mark.parametrize("option", ["--from", "--to"])
@pytest.mark.parametrize("reader", ["audit", "whatif"])
def test_times_at_the_ends_of_the_calendar(reader: str, option: str, time: str, home: Path) -> None:
    """A time with which nobody can reckon is refused in words."""
    done = run(*READERS[reader], option, time, data=home)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "is no time that a record can have: 1900 to 2200" in " ".join(done.stderr.split())


@pytest.mark.parametrize("time", ["1900-01-01T00:00-12:00", "2200-01-01T00:00+14:00"])
@pytest.mark.parametrize("option", ["--from", "--to"])
@pytest.mark.parametrize("reader", ["audit", "whatif"])
def test_times_near_the_ends(reader: str, option: str, time: str, home: Path) -> None:
    """Whatever is not refused can be reckoned with; where there is nothing it is said."""
    done = run(*READERS[reader], option, time, data=home)
    assert done.exit_code in {0, 1}
    assert done.exception is None or isinstance(done.exception, SystemExit)


@pytest.mark.parametrize("reader", ["audit", "whatif"])
def test_an_unknown_unit_is_said(reader: str, home: Path) -> None:
    """Nothing of a unit is an answer, and which units there are stands beside it on stderr."""
    done = run(*READERS[reader], "--unit", "nicu1", data=home)
    assert done.exit_code == 0
    assert "is of unit 'nicu1'; there are nicu-1" in done.stderr
    done = run(*READERS[reader], "--unit", "nicu-1", data=home)
    assert done.exit_code == 0
    assert "there are" not in done.stderr


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("bucket=fortnight", "bucket is day or week or month or quarter, not 'fortnight'"),
        ("again_s=nan", "again_s is a number, not 'nan'"),
        ("again_s=-inf", "again_s is a number, not '-inf'"),
        ("again_s=1e999", "again_s is a number, not '1e999'"),
    ],
)
def test_a_parameter_is_of_its_kind(said: str, reason: str, home: Path) -> None:
    """A word that is none of the choices, and a number that compares with none, are refused."""
    done = run("audit", "alarm-load", "--set", said, data=home)
    assert (done.exit_code, done.stdout) == (2, "")
    assert reason in " ".join(done.stderr.split())


def test_choices_are_shown_and_taken(home: Path) -> None:
    """Help names the words that may be set, and each of them is an answer."""
    shown = " ".join(run("audit", "alarm-load", "--help", data=home).stdout.split())
    assert "--set bucket=week (or day, month, quarter)" in shown
    for bucket in ("day", "week", "month", "quarter"):
        done = run("audit", "alarm-load", "--set", f"bucket={bucket}", data=home)
        assert done.exit_code == 0, done.stderr
