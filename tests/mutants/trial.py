"""One mutant tried: whether the tests notice it.

The mutant lives only in the memory of a forked child that imports it in place of the file, so that
nothing in the checkout changes. The child runs the tests until one fails; those that noticed
mutants of the same file come first. A loop without end meets a limit of CPU time for each test, not
of wall time, so that a busy machine kills no mutant.
"""

import gc
import importlib.util
import json
import os
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType
from typing import Literal

import pytest

from tests.mutants.made import Mutant

SELECTION = (
    "tests/unit/test_scenarios.py",
    "tests/unit/test_figures.py",
    "tests/unit/test_without_a_course.py",
    "tests/unit/test_partition.py",
    "tests/unit/test_refused_records.py",
    "tests/unit/test_units.py",
    "tests/unit/test_policy.py",
    "tests/unit/test_eligibility_words.py",
    "tests/unit/test_profile_book.py",
    "tests/unit/test_profile_numbers.py",
    "tests/unit/test_notify.py",
    "tests/unit/test_reference.py",
    "tests/property/test_core.py",
)
"""What needs no server. Where a child process would run the file as it is, not the mutant, or a
scenario would only be run once more, tests are left out by name."""

_OPTIONS = (
    *("-x", "-q", "-p", "no:cacheprovider"),
    *("-k", "not test_scenarios_ and not test_shifted and not command_line and not explaining"),
)
_OURS = ("alerts", "deploy", "schemas", "streams", "tests", "conftest", "test_")
_MOST_CPU_S = 30.0
"""Of one test; the longest takes a tenth of it."""
_MOST_BYTES = 4 << 30
"""Of memory in the child: a list that grows without end is noticed as well."""

Fate = Literal["killed", "timed out", "survived"]


@dataclass(frozen=True)
class Trial:
    """How a mutant ended, and how long each test took.

    ``killer`` is the test that noticed; ``None`` where none did or the import already failed.
    """

    fate: Fate
    killer: str | None = None
    took_s: dict[str, float] = field(default_factory=dict)


class TrialFailed(RuntimeError):
    """The tests could not be run; the message says how pytest ended."""


class _Judge:
    """The pytest plugin of a child: the likeliest tests first, each with its limit."""

    def __init__(self, first: Sequence[str]) -> None:
        self._order = {test: place for place, test in enumerate(first)}
        self.killer: str | None = None
        self.took_s: dict[str, float] = {}

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings  # not before pytest, which rewrites it

        settings.register_profile(
            "mutants",
            phases=[Phase.explicit, Phase.generate],  # one failure is enough, however long
            derandomize=True,
            database=None,
            deadline=None,
        )
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._order.get(item.nodeid, len(self._order)))

    def pytest_runtest_logstart(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, _MOST_CPU_S)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.took_s[report.nodeid] = self.took_s.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.killer = self.killer or report.nodeid


class _Loader(SourceFileLoader):
    """Gives the mutant's text for the file's."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.get_filename(fullname), "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    """Finds the mutant where its module is imported."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        path = str(self._mutant.path.resolve())
        loader = _Loader(fullname, path, self._mutant.text)
        return importlib.util.spec_from_file_location(fullname, path, loader=loader)


def warm_up() -> None:
    """Import what the tests import of others, once for all children, and forget what is ours."""
    if _pytest("--collect-only") != pytest.ExitCode.OK:
        raise TrialFailed("the tests cannot be collected; run them and see")
    for name in [name for name in sys.modules if name.startswith(_OURS)]:
        if not name.startswith("tests.mutants"):
            del sys.modules[name]
    gc.collect()
    gc.freeze()  # otherwise each child would look through all of this again and again


def _pytest(*options: str, judge: _Judge | None = None) -> int:
    """Run pytest with its words going nowhere."""
    out, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        return pytest.main([*_OPTIONS, *options, *SELECTION], plugins=[judge] if judge else [])
    finally:
        os.dup2(out, 1)
        os.close(out)
        os.close(nowhere)


def try_out(mutant: Mutant | None, first: Sequence[str] = ()) -> Trial:
    """Run the tests over a mutant, those named in ``first`` before others; ``None``: over nothing.

    Raises ``TrialFailed``.
    """
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        _run_child(mutant, first, writes)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
        return Trial("timed out")
    code = os.waitstatus_to_exitcode(status)
    if code == pytest.ExitCode.OK:
        return Trial("survived", None, *json.loads(said)[1:])
    if code in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
        return Trial("killed", *json.loads(said))
    raise TrialFailed(f"pytest ended with {code} over {mutant.place if mutant else 'no mutant'}")


def _run_child(mutant: Mutant | None, first: Sequence[str], writes: int) -> None:
    """Run the tests in the child; never returns."""
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
        if mutant is not None:
            sys.meta_path.insert(0, _Finder(mutant))
        judge = _Judge(first)
        code = int(_pytest(judge=judge))
        with os.fdopen(writes, "w") as pipe:
            json.dump([judge.killer, judge.took_s], pipe)
    finally:
        os._exit(code)
