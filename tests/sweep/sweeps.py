"""Small sweeps for tests, and what they left."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spetrace.workflow.sweep_sessions import CaptureInput
from spetrace.workflow.sweeping import CACHE, RUNS_FILE, SweepRequest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_traces"
EVENT_LOG = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"
ON_KVM = SAMPLES / "spe-on-kvm"
GUEST = CaptureInput(
    "guest", tuple(str(ON_KVM / n) for n in ("guest.perf.data", "host.dat", "session.toml"))
)
COUNTING_STRATEGY = '''
"""A strategy that notes each replay of it, and takes its time."""

import os
import time

from spetrace.replay.strategy import Strategy
from spetrace.replay.vm import Vm


class Counting(Strategy):
    """Does nothing else."""

    name = "counting"
    doc = "Notes that it was replayed."

    def on_vm_start(self, vm: Vm) -> None:
        """Note it."""
        with open(os.environ["COUNTED"], "a") as file:
            file.write("1\\n")
        time.sleep(float(os.environ["SECONDS"]))
'''


def request(settings: Mapping[str, Sequence[Any]], **more: Any) -> SweepRequest:
    """A sweep over one small event log, under three strategies."""
    given = {"strategies": "map-on-fault", "captures": [CaptureInput("log", (str(EVENT_LOG),))]}
    return SweepRequest(settings=settings, **(given | more))


def rows_of(folder: Path) -> pa.Table:
    """Table runs of a sweep's folder."""
    return pq.read_table(folder / RUNS_FILE)


def journal_of(folder: Path) -> list[dict[str, Any]]:
    """What was kept of its runs, in the order in which they were computed."""
    return [json.loads(line) for line in (folder / CACHE / "runs.jsonl").read_text().splitlines()]
