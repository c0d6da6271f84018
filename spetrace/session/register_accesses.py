"""Table spe_register_accesses: SPE's registers among the trapped system register accesses."""

from __future__ import annotations

from typing import Final

import polars as pl
import pyarrow as pa

from spetrace.arm import esr
from spetrace.arm.spe_registers import SPE_REGISTERS, packed
from spetrace.session.host_stretches import COMMON
from spetrace.session.host_trace import HostEvents, HostTrace
from spetrace.session.kvm_exits import machine_column
from spetrace.session.machines import Machines
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES

_ACCESS, _HANDLED = "kvm_sys_access", "kvm_handle_sys_reg"
_ENCODING: Final = ("Op0", "Op1", "CRn", "CRm", "Op2")
_SHIFTS: Final = (20, 14, 10, 1, 17)
"""Of the same fields in ESR_EL2.ISS of a trapped MSR, MRS or system instruction (EC 0x18)."""
_WIDTHS: Final = (2, 3, 4, 4, 3)
_NAMES: Final = {packed(encoding): name for encoding, name in SPE_REGISTERS.items()}


def build_spe_register_accesses(host: HostTrace, machines: Machines) -> pa.Table:
    """Accesses by vCPU threads, in order of time.

    From kvm_sys_access; of an input without any, from kvm_handle_sys_reg, whose syndrome tells the
    same but the PC.
    """
    telling = host.sources_with(_ACCESS)
    names = [_ACCESS] if telling == host.sources else [_ACCESS, _HANDLED]
    parts = [_by_access(HostEvents(pl.DataFrame(schema=COMMON)))]
    for stretch in host.stretches(names):
        if _ACCESS in stretch:
            parts.append(_by_access(HostEvents(stretch[_ACCESS])))
        if _HANDLED in stretch:
            others = stretch[_HANDLED].filter(~pl.col("source").is_in(telling))
            parts.append(_by_syndrome(HostEvents(others)))
    both = pl.concat(parts)
    pid = both["pid"].fill_null(-1).to_numpy()
    both = both.with_columns(
        machine_column("vm", machines.vm_of(pid)), machine_column("vcpu", machines.vcpu_of(pid))
    )
    both = both.filter(pl.col("vm").is_not_null())
    return SPE_REGISTER_ACCESSES.from_polars(both.sort("time_ns", "source", "order"))


def _by_access(events: HostEvents) -> pl.DataFrame:
    fields = [pl.Series(name, events.unsigned(name)) for name in _ENCODING]
    return _accesses(
        events,
        fields,
        pl.Series("is_write", events.unsigned("is_write") != 0),
        pl.Series("pc", events.unsigned("vcpu_pc")).set(~pl.Series(events.knows("vcpu_pc")), None),
    )


def _by_syndrome(events: HostEvents) -> pl.DataFrame:
    """Bit 0 of the syndrome is the direction: 1 is a read."""
    syndrome = pl.Series(events.unsigned("hsr"))
    of_register = pl.Series(esr.exception_class(events.unsigned("hsr")) == esr.SYS64)
    fields = [
        (syndrome // (1 << shift) % (1 << width)).set(~of_register, 0).alias(name)
        for name, shift, width in zip(_ENCODING, _SHIFTS, _WIDTHS, strict=True)
    ]
    is_write = (syndrome % 2 == 0).alias("is_write")
    return _accesses(events, fields, is_write, pl.Series("pc", [None] * len(events), pl.UInt64))


def _accesses(
    events: HostEvents, fields: list[pl.Series], is_write: pl.Series, pc: pl.Series
) -> pl.DataFrame:
    frame = pl.DataFrame([*fields, is_write, pc])
    number = pl.lit(0, pl.UInt64)
    for name in _ENCODING:
        number = number * 16 + pl.col(name).clip(upper_bound=15)
    reg = number.replace_strict(_NAMES, default=None, return_dtype=pl.String).alias("reg")
    named = frame.select("is_write", "pc", reg)
    common = events.frame.select("source", "order", "time_ns", "pid")
    return common.hstack(named).filter(pl.col("reg").is_not_null())
