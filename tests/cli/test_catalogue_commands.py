"""`spetrace strategies` and `spetrace schema`."""

from __future__ import annotations

import json

from cli.command import ROOT, Command

from spetrace.replay.strategies import STRATEGIES
from spetrace.tables.catalog import TABLES


def test_strategies_are_described(spetrace: Command) -> None:
    out = spetrace("strategies").out
    described = json.loads(spetrace("strategies", "--format", "json").out)
    assert [d["name"] for d in described] == [s.name for s in STRATEGIES]
    for facts in described:
        assert facts["name"] in out
        assert facts["doc"]
        assert facts["origin"] or facts["bound"]
    assert {d["name"]: d["bound"] for d in described if d["bound"]} == {
        "bare-metal": "upper",
        "inject-abort": "lower",
    }


def test_one_strategy(spetrace: Command) -> None:
    out = spetrace("strategies", "trap_eret").out
    assert out.startswith("trap-eret\n")
    assert "FEAT_FGT" in out
    assert "trapped SPE registers" in out


def test_schema_lists_tables(spetrace: Command) -> None:
    lines = spetrace("schema").out.splitlines()
    assert [line.split()[0] for line in lines] == list(TABLES)


def test_schema_is_the_published_one(spetrace: Command) -> None:
    for name in TABLES:
        assert json.loads(spetrace("schema", name).out) == json.loads(
            (ROOT / "schemas" / f"{name}.json").read_text()
        )


def test_schema_in_other_formats(spetrace: Command) -> None:
    assert "CREATE TABLE" in spetrace("schema", "events", "--format", "sql").out
    assert "ts: int64 not null" in spetrace("schema", "events", "--format", "arrow").out
