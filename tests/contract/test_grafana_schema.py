"""Each board against Grafana's own types: ``@grafana/schema``, by the TypeScript compiler."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from streams.grafana.golden import example
from tests.contract.receiver import node_packages

SCHEMA, TYPESCRIPT = "11.6.0", "5.8.3"
LIMIT_S = 120
# An enumeration is its words in JSON, which the compiler takes for it only when told so; and what
# a query says is its data source's own, so the type of every query knows none of it.
# Which column an annotation reads as what stands in @grafana/data, by these words.
TYPED = """\
type Columns = Record<string, {{ source: 'field' | 'text' | 'skip'; value: string }}>;
import type {{ Dashboard }} from '@grafana/schema';
type Plain<T> = T extends string ? `${{T}}`
  : T extends (infer Each)[] ? Plain<Each>[]
  : T extends {{ refId: string }} ? {{ [Name in keyof T]: Plain<T[Name]> }} & {{ query: string }}
  : T extends {{ iconColor: string }}
  ? {{ [Name in keyof T]: Plain<T[Name]> }} & {{ mappings: Columns }}
  : T extends object ? {{ [Name in keyof T]: Plain<T[Name]> }} : T;
export const board: Plain<Dashboard> = {json};
"""


@pytest.fixture(scope="module")
def home() -> Path:
    """Find the compiler and Grafana's types."""
    packages = [f"@grafana/schema@{SCHEMA}", f"typescript@{TYPESCRIPT}"]
    return node_packages(f"grafana-schema-{SCHEMA}-{TYPESCRIPT}", packages)


def compiled(home: Path, work: Path, boards: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Compile each board as a constant of Grafana's type; nothing is written."""
    (work / "node_modules").symlink_to(home / "node_modules")
    for name, board in boards.items():
        (work / f"{name}.ts").write_text(TYPED.format(json=json.dumps(board)))
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext"]
    options += ["--moduleResolution", "bundler", "--target", "es2022"]
    tsc = home / "node_modules" / "typescript" / "bin" / "tsc"
    return subprocess.run(
        ["node", str(tsc), *options, *sorted(f"{name}.ts" for name in boards)],
        cwd=work,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_grafanas_types_take_every_board(home: Path, tmp_path: Path) -> None:
    """No field is of another type than Grafana reads, none is one that it does not know."""
    boards = {board["uid"]: board for board in example().boards}
    done = compiled(home, tmp_path, boards)
    assert done.stdout == ""
    assert done.returncode == 0


def test_grafanas_types_refuse_a_broken_board(home: Path, tmp_path: Path) -> None:
    """The check above can fail: on a wrong type, an unknown word and an unknown field."""
    broken: dict[str, Any] = {}
    for name in ("type", "word", "field"):
        board = json.loads(json.dumps(example().boards[0]))
        panel = board["panels"][0]
        if name == "type":
            panel["gridPos"]["w"] = "three"
        elif name == "word":
            panel["fieldConfig"]["defaults"]["thresholds"]["mode"] = "sometimes"
        else:
            panel["fieldConfig"]["defaults"]["colour"] = "red"
        broken[name] = board
    done = compiled(home, tmp_path, broken)
    assert done.returncode != 0
    for name in broken:
        assert f"{name}.ts(" in done.stdout
