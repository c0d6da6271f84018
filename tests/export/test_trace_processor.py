"""Perfetto's own trace_processor reads the trace, where its program is on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from perfetto.trace_processor import TraceProcessor, TraceProcessorConfig

from spetrace.cli.main import run

SCENARIO = Path(__file__).resolve().parents[2] / (
    "sample_traces/scenario-swap-under-the-buffer/events.jsonl"
)


def program() -> str | None:
    """trace_processor_shell: named by TRACE_PROCESSOR_SHELL, on the path, or downloaded before."""
    cache = Path.home() / ".local" / "share" / "perfetto" / "prebuilts"
    cached = [str(file) for file in cache.glob("trace_processor_shell-*") if file.suffix != ".tmp"]
    named = os.environ.get("TRACE_PROCESSOR_SHELL") or shutil.which("trace_processor_shell")
    return named or next(iter(cached), None)


@pytest.mark.skipif(program() is None, reason="trace_processor_shell is not on this machine")
def test_trace_processor_finds_slices_counters_and_facts(tmp_path: Path) -> None:
    results, trace = tmp_path / "results", tmp_path / "trace"
    assert run(["replay", str(SCENARIO), "-o", str(results)]) == 0
    assert run(["export", str(SCENARIO), str(results), "--perfetto", str(trace)]) == 0
    config = TraceProcessorConfig(bin_path=program())
    with TraceProcessor(trace=str(trace), config=config) as processor:
        lost = processor.query(
            "select sum(value) as n from stats where severity in ('error', 'data_loss')"
        )
        slices = processor.query("select count(*) as n from slice where name like 'blackout: %'")
        facts = processor.query(
            "select str_value as s from metadata where name glob '*spetrace.version'"
        )
        assert [row.n for row in lost] == [0]
        assert [row.n for row in slices] == [5]
        assert len([row.s for row in facts]) == 1
