"""How fast a recording replays, and how much memory that takes.

Run with `pytest -o addopts= tests/bench/test_replay.py`. The baseline of the same run is one
numpy pass over the recording's times and sizes, which no replay can do without.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from spetrace.replay.engine import replay
from spetrace.replay.parameters import Parameters
from spetrace.tables.events import EVENTS

RECORDS = 8_000_000
VCPUS = 4
AREA, HALF, RECORD = 4 << 20, 1 << 20, 64
BASE, RAM = 0xFFFF_8000_1000_0000, 0x8000_0000


def _vcpu_events(vcpu: int, records: int) -> pl.DataFrame:
    """One vCPU's records, and a driver that programs the next part of its buffer when one is full."""
    times = np.cumsum(np.random.default_rng(vcpu).integers(1, 800, records)) + 1000
    base = BASE + vcpu * (256 << 20)
    made = [{"ts": 0, "kind": "stage1_map", "va": base, "ipa": RAM + vcpu * AREA, "pages": 1024}]
    for first in range(0, records, HALF // RECORD):
        start = base + first * RECORD % AREA
        writes = {"PMBPTR_EL1": start, "PMBLIMITR_EL1": start + HALF | 1}
        writes |= {"PMBSR_EL1": 0} if first else {"PMSCR_EL1": 3}
        ts = int(times[first])
        if first:
            made.append({"ts": ts, "kind": "buffer_full"})
        made += [
            {"ts": ts, "kind": "sysreg_write", "reg": r, "value": v} for r, v in writes.items()
        ]
    written = pl.DataFrame(
        {"ts": times, "kind": "spe_record", "bytes": np.full(records, RECORD, np.uint32)}
    )
    programmed = pl.DataFrame(
        made, schema={"ts": pl.Int64, "kind": pl.String, "reg": pl.String, "value": pl.UInt64,
                      "va": pl.UInt64, "ipa": pl.UInt64, "pages": pl.UInt64},
    )  # fmt: skip
    both = pl.concat([programmed, written], how="diagonal")
    return both.with_columns(
        pl.lit(vcpu, pl.UInt16).alias("vcpu"), pl.lit(0, pl.UInt16).alias("vm")
    )


def session(records: int = RECORDS) -> pa.Table:
    """The event log of a recording of `records` records on VCPUS CPUs."""
    parts = [_vcpu_events(vcpu, records // VCPUS) for vcpu in range(VCPUS)]
    return EVENTS.from_polars(pl.concat(parts).sort("ts", maintain_order=True))


@pytest.fixture(scope="module")
def events() -> pa.Table:
    return session()


def one_pass(events: pa.Table) -> int:
    """Sum up sizes and times once."""
    sizes = events["bytes"].to_numpy(zero_copy_only=False)
    return int(np.nancumsum(sizes)[-1]) + int(np.cumsum(events["ts"].to_numpy())[-1])


def test_replay_speed(benchmark: object, events: pa.Table) -> None:
    start = time.perf_counter()
    one_pass(events)
    baseline = time.perf_counter() - start
    run = benchmark.pedantic(replay, (events, Parameters()), rounds=5, warmup_rounds=1)
    strategies = len(run.session["strategies"])
    seconds = benchmark.stats.stats.median
    benchmark.extra_info |= {
        "million_records_per_second_per_strategy": round(RECORDS * strategies / seconds / 1e6, 1),
        "strategies": strategies,
        "ratio_to_one_numpy_pass": round(seconds / strategies / baseline, 3),
    }


LONG = 8
"""A long log is so many times RECORDS."""
MEMORY = """
import sys
sys.path.insert(0, {folder!r})
from test_replay import long_log, session, replay, Parameters
def megabytes(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name)) / 1024
replay(session(100_000), Parameters())
events = {events}
open("/proc/self/clear_refs", "w").write("5")
before = megabytes("VmRSS")
replay(events, Parameters())
print(megabytes("VmHWM") - before)
"""


def long_log(events: pa.Table) -> Iterator[pa.RecordBatch]:
    """LONG times the same recording, one after the other."""
    batches = events.to_batches(1 << 18)
    length = batches[-1].column("ts")[-1].as_py() + 1
    for turn in range(LONG):
        for batch in batches:
            later = pc.add(batch.column("ts"), turn * length)
            yield batch.set_column(0, batch.schema.field("ts"), later)


@pytest.mark.parametrize("events", ["session()", "long_log(session())"])
def test_replay_memory_beyond_the_tables(
    benchmark: object, request: pytest.FixtureRequest, events: str
) -> None:
    code = MEMORY.format(folder=str(request.path.parent), events=events)

    def measure() -> float:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        return float(done.stdout)

    benchmark.extra_info["peak_megabytes"] = round(benchmark.pedantic(measure, rounds=1))
