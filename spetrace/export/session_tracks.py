"""What happened in a session: guests and host, faults, SPE registers and buffers, as marks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

import polars as pl
import pyarrow as pa

from spetrace.arm.esr import KVM_EXIT_NAMES, KVM_EXIT_TRAP
from spetrace.export.columns import ROW, marks_of, timed
from spetrace.export.machines import Machines
from spetrace.export.tracks import Form, Kind, Marks, Track
from spetrace.tables.events import EVENTS
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import VM_STATE
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES
from spetrace.tables.stage2_faults import STAGE2_FAULTS

GUEST: Final = "guest"
SHOWN_EVENTS: Final = ("sysreg_write", "buffer_full")
"""Kinds of events that are shown; sample records would hide them."""
_VCPU: Final = ("vm", "vcpu")
_ROW: Final = {ROW: Form.NUMBER}
_RANKS: Final = ("stage-2 faults", "SPE registers", "trapped SPE registers", "SPE buffer")


def session_marks(tables: Mapping[str, pa.Table], machines: Machines) -> Iterator[Marks]:
    """Marks of the tables kvm_exits, stage2_faults, spe_register_accesses, events and vm_state."""
    for table, make in _MAKERS.items():
        if len(tables.get(table, ())):
            yield from make(pl.DataFrame(pl.from_arrow(tables[table])), machines)


def _exits(exits: pl.DataFrame, machines: Machines) -> Iterator[Marks]:
    """A vCPU in the host from each exit to its entry, in the guest from an entry to the next exit."""
    trapped = pl.col("ret") == KVM_EXIT_TRAP
    other = pl.col("ret").replace_strict(KVM_EXIT_NAMES, default=None, return_dtype=pl.String)
    named = pl.when(trapped).then(pl.col("exit_class_name").cast(pl.String)).otherwise(other)
    rows = timed(exits, "exit_ns").with_columns(named.alias("name"), pl.lit("host").alias("where"))
    following = pl.col("exit_ns").shift(-1).over(_VCPU)
    # An exit whose entry was lost says nothing of the time that follows: it has no length.
    lost = pl.col("entry_ns").is_null() & following.is_not_null()
    host = rows.with_columns(
        pl.col("exit_ns").alias("start"),
        pl.when(lost).then(pl.col("exit_ns")).otherwise(pl.col("entry_ns")).alias("end"),
    )
    known = pl.col("vm").is_not_null() & pl.col("vcpu").is_not_null()
    guest = rows.with_columns(
        pl.col("entry_ns").alias("start"),
        following.alias("end"),
        pl.lit(GUEST).alias("name"),
        pl.lit(None, pl.UInt64).alias("pc"),
    ).filter(known & pl.col("start").is_not_null())
    columns = [*_VCPU, "start", "end", "name", "pc", ROW]
    yield marks_of(
        pl.concat([host.select(columns), guest.select(columns)]),
        Kind.SLICE,
        "kvm",
        _VCPU,
        machines.vcpu,
        start="start",
        end="end",
        name=pl.col("name"),
        details={"pc": Form.ADDRESS} | _ROW,
    )


def _faults(faults: pl.DataFrame, machines: Machines) -> Iterator[Marks]:
    access = (
        pl.when(pl.col("on_stage1_walk")).then(pl.lit("stage-1 walk"))
        .when(pl.col("is_fetch")).then(pl.lit("fetch"))
        .when(pl.col("is_cache_maintenance")).then(pl.lit("cache maintenance"))
        .when(pl.col("is_write")).then(pl.lit("write"))
        .when(pl.col("is_write").not_()).then(pl.lit("read"))
    )  # fmt: skip
    kind = pl.col("kind").cast(pl.String).fill_null("unknown")
    yield marks_of(
        timed(faults, "time_ns"),
        Kind.INSTANT,
        "fault",
        _VCPU,
        partial(_below_vcpu, machines, "stage-2 faults"),
        start="time_ns",
        name=pl.concat_str(kind, access, separator=", ", ignore_nulls=True),
        details={
            "ipa": Form.ADDRESS, "va": Form.ADDRESS, "pc": Form.ADDRESS, "esr": Form.ADDRESS,
            "level": Form.NUMBER, "handled_ns": Form.NUMBER, "mmio": Form.FLAG,
        } | _ROW,
    )  # fmt: skip


def _accesses(accesses: pl.DataFrame, machines: Machines) -> Iterator[Marks]:
    verb = pl.when(pl.col("is_write")).then(pl.lit("write")).otherwise(pl.lit("read"))
    yield marks_of(
        timed(accesses, "time_ns"),
        Kind.INSTANT,
        "spe",
        _VCPU,
        partial(_below_vcpu, machines, "trapped SPE registers"),
        start="time_ns",
        name=pl.concat_str(verb, pl.col("reg").cast(pl.String), separator=" "),
        details={"value": Form.ADDRESS, "pc": Form.ADDRESS} | _ROW,
    )


def _events(events: pl.DataFrame, machines: Machines) -> Iterator[Marks]:
    kind = pl.col("kind").cast(pl.String)
    for shown, track in zip(SHOWN_EVENTS, ("SPE registers", "SPE buffer"), strict=True):
        is_write = shown == "sysreg_write"
        yield marks_of(
            timed(events.filter(kind == shown), "ts"),
            Kind.INSTANT,
            "spe",
            _VCPU,
            partial(_below_vcpu, machines, track),
            start="ts",
            name=pl.col("reg").cast(pl.String) if is_write else pl.lit("buffer full"),
            details={"value": Form.ADDRESS} if is_write else {},
        )


def _state(state: pl.DataFrame, machines: Machines) -> Iterator[Marks]:
    for rank, column in enumerate(("mapped_pages", "writable_pages")):
        name = f"stage 2: {column.replace('_', ' ')}"

        def counter(vm: int, name: str = name, rank: int = rank) -> Track:
            """The counter of one VM."""
            return Track(name, parent=machines.vm(vm), rank=rank, unit="pages")

        yield marks_of(
            timed(state, "time_ns"), Kind.COUNTER, "kvm", ("vm",), counter,
            start="time_ns", value=column,
        )  # fmt: skip


def _below_vcpu(machines: Machines, name: str, vm: int | None, vcpu: int | None) -> Track:
    return Track(name, parent=machines.vcpu(vm, vcpu), rank=_RANKS.index(name))


_MAKERS: Final = {
    KVM_EXITS.name: _exits,
    STAGE2_FAULTS.name: _faults,
    SPE_REGISTER_ACCESSES.name: _accesses,
    EVENTS.name: _events,
    VM_STATE.name: _state,
}
