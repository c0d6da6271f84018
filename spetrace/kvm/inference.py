"""How one VM's stage 2 differs when it is told in another way: two step functions compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from spetrace.kvm.memory import state_summary
from spetrace.tables.kvm_summary import InferenceCheck, InferenceWay, Series, StateSummary


@dataclass(frozen=True)
class ToldStage2:
    """Stage 2 as told in one way: tables vm_state and refaults, and what replays on it count."""

    name: str
    vm_state: pa.Table
    refaults: pa.Table
    counters: Mapping[int, dict[str, dict[str, int]]]
    """By VM, then strategy."""


def check_inference(told: Sequence[ToldStage2], end_ns: int) -> tuple[InferenceCheck, ...]:
    """The ways of `told` beside the first one, VM by VM; `end_ns` is the recording's end.

    A VM of which the first one says nothing is left out.
    """
    states = [pl.DataFrame(pl.from_arrow(way.vm_state)) for way in told]
    vms = sorted(states[0]["vm"].unique().to_list())
    return tuple(_of_vm(vm, told, states, end_ns) for vm in vms)


def _of_vm(
    vm: int, told: Sequence[ToldStage2], states: Sequence[pl.DataFrame], end_ns: int
) -> InferenceCheck:
    own = [state.filter(pl.col("vm") == vm) for state in states]
    found = [
        (way, state_summary(state, end_ns))
        for way, state in zip(told, own, strict=True)
        if len(state)
    ]
    truth = found[0][1]
    return InferenceCheck(vm, tuple(_way(vm, way, state, truth, end_ns) for way, state in found))


def _way(
    vm: int, way: ToldStage2, state: StateSummary, truth: StateSummary, end_ns: int
) -> InferenceWay:
    refaults = pl.DataFrame(pl.from_arrow(way.refaults))
    mapped = _difference(state, state.mapped_pages, truth, truth.mapped_pages, end_ns)
    writable = _difference(state, state.writable_pages, truth, truth.writable_pages, end_ns)
    return InferenceWay(
        way.name,
        state,
        *mapped,
        *writable,
        refaults=int((refaults["vm"] == vm).sum()),
        counters=dict(way.counters.get(vm, {})),
    )


def _difference(
    state: StateSummary,
    pages: Series,
    truth: StateSummary,
    true_pages: Series,
    end_ns: int,
) -> tuple[float, int]:
    """The absolute difference of two step functions: its mean over time, and its maximum."""
    times = np.unique(np.concatenate((state.times_ns, truth.times_ns)).astype(np.int64))
    apart = np.abs(_at(times, state.times_ns, pages) - _at(times, truth.times_ns, true_pages))
    lengths = np.diff(np.append(times, max(end_ns, int(times[-1]))))
    mean = float(np.average(apart, weights=lengths)) if lengths.sum() else float(apart.mean())
    return mean, int(apart.max())


def _at(times: npt.NDArray[np.int64], steps: Series, pages: Series) -> npt.NDArray[np.int64]:
    """A step function's values; before its first step, that one's."""
    place = np.searchsorted(np.array(steps), times, "right") - 1
    values: npt.NDArray[np.int64] = np.array(pages, np.int64)[place.clip(min=0)]
    return values
