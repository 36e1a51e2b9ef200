"""Style that matters is a test: imports go one way, the core is pure, names are telling."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "alerts", "deploy", "streams")
SOURCES = sorted(path for package in PACKAGES for path in ROOT.joinpath(package).rglob("*.py"))

MAY_IMPORT = {
    "schemas": {"schemas"},
    "alerts": {"schemas", "alerts"},
    "deploy": {"schemas", "deploy"},
    "streams": {"schemas", "alerts", "deploy", "streams"},
}
CORE = (
    "schemas/",
    "alerts/rules/",
    "alerts/criteria.py",
    "alerts/device_codes.py",
    "alerts/eligibility.py",
    "alerts/flagged.py",
    "alerts/gas.py",
    "alerts/limits.py",
    "alerts/methb.py",
    "alerts/monitor_blind.py",
    "alerts/notify.py",
    "alerts/numbers.py",
    "alerts/occurrence.py",
    "alerts/policy.py",
    "alerts/policy_facts.py",
    "alerts/policy_reading.py",
    "alerts/policy_table.py",
    "alerts/profile_book.py",
    "alerts/reasons.py",
    "alerts/rule.py",
    "alerts/runbook.py",
    "streams/audit/question.py",
    "streams/audit/spc.py",
    "streams/batch.py",
    "streams/board/view.py",
    "streams/context.py",
    "streams/course_machine.py",
    "streams/devices.py",
    "streams/door.py",
    "streams/followed.py",
    "streams/evidence.py",
    "streams/grouped.py",
    "streams/journal/chain.py",
    "streams/journal/entries.py",
    "streams/journal/links.py",
    "streams/journal/sealed.py",
    "streams/letters/letter.py",
    "streams/letters/words.py",
    "streams/partition.py",
    "streams/readings.py",
    "streams/refusals.py",
    "streams/replay.py",
    "streams/row.py",
    "streams/silence.py",
    "streams/steady.py",
    "streams/step.py",
    "streams/stores/points.py",
    "streams/therapy.py",
    "streams/units.py",
    "streams/ward.py",
    "streams/watch/blindness.py",
    "streams/watch/health.py",
    "streams/watch/ledger.py",
    "streams/watch/observation.py",
    "streams/weaning.py",
    "streams/whatif/coverage.py",
    "streams/whatif/difference.py",
    "streams/whatif/episode.py",
    "streams/whatif/hazard.py",
    "streams/whatif/judging.py",
    "streams/whatif/load.py",
    "streams/whatif/one_profile.py",
    "streams/whatif/reference.py",
    "streams/whatif/report.py",
    "streams/whatif/spans.py",
    "streams/whatif/table.py",
    "streams/worksheet.py",
)
"""Where nothing may look outside: no clock, no socket, no Faust, no log."""
IMPURE = {
    "aiohttp",
    "aiokafka",
    "asyncio",
    "faust",
    "influxdb_client",
    "kafka",
    "logging",
    "os",
    "random",
    "requests",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "time",
    "urllib",
}
CLOCKS = {"now", "utcnow", "today"}
NO_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
MOST_LINES = 320


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Yield the first word of every module that is imported, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.split(".")[0]


def is_core(path: Path) -> bool:
    """Whether the file belongs to the pure core."""
    return str(path.relative_to(ROOT)).startswith(CORE)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    """schemas <- alerts <- streams, and deploy stands beside them."""
    package = path.relative_to(ROOT).parts[0]
    own = {name for name in imports_of(ast.parse(path.read_text())) if name in PACKAGES}
    assert own <= MAY_IMPORT[package]


def test_every_core_entry_is_there() -> None:
    """A file of the core that was moved would otherwise go unwatched."""
    for entry in CORE:
        assert ROOT.joinpath(entry).exists(), entry


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if is_core(path)], ids=lambda path: path.stem
)
def test_the_core_is_pure(path: Path) -> None:
    """It imports nothing that reaches outside and asks no clock."""
    tree = ast.parse(path.read_text())
    assert not IMPURE & set(imports_of(tree))
    asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not CLOCKS & asked


def test_the_core_check_can_fail() -> None:
    """The check sees an import inside a function and a clock by any name."""
    tree = ast.parse("def f():\n    import time\n    return datetime.now()")
    assert "time" in set(imports_of(tree))
    assert "now" in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_of_one_idea(path: Path) -> None:
    """A file says at its top what it is for, has a telling name and fits a reader."""
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), "no module docstring"
    assert path.stem not in NO_NAMES
    assert text.count("\n") <= MOST_LINES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_ignore_has_a_reason(path: Path) -> None:
    """Whoever silences a check says why behind it."""
    for line in path.read_text().splitlines():
        for mark in re.findall(r"#\s*(?:noqa|type: ignore)\b.*", line):
            reason = re.sub(
                r"#\s*(?:noqa(?::\s*[A-Z0-9, ]+)?|type: ignore(?:\[[\w, -]+\])?)", "", mark
            )
            assert len(reason.strip(" -#")) > 7, line


def test_nothing_names_a_machine_or_a_registry() -> None:
    """No path of somebody's machine and no package registry's host stands in the project."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    hosts = ["pypi" + ".org", "pythonhosted" + ".org", "maven" + ".org", "npmjs" + ".org"]
    hosts += ["proxy.golang" + ".org", "deb.debian" + ".org", "crates" + ".io"]
    unwanted = re.compile("|".join(map(re.escape, [*hosts, "/ro" + "ot/", "/wo" + "rk/"])))
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".png", ".sum"} or not path.is_file():
            continue
        found += [
            f"{name}: {line}" for line in path.read_text().splitlines() if unwanted.search(line)
        ]
    assert found == []
