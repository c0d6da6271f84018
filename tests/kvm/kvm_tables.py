"""KVM tables by hand: a few exits, faults, refaults and states of two VMs."""

from typing import Any

import pyarrow as pa

from spetrace.kvm.summarize import summarize_kvm
from spetrace.quality import Quality
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE
from spetrace.tables.kvm_summary import KvmSummary
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES
from spetrace.tables.stage2_faults import STAGE2_FAULTS
from spetrace.workflow.session_folder import quality_table


def exit_(vm: int, vcpu: int, at: int, entered: int | None, name: str | None, ret: int = 2) -> Any:
    return {
        "source": 0, "vm": vm, "vcpu": vcpu, "exit_ns": at, "entry_ns": entered,
        "handled_ns": None if entered is None else entered - at, "ret": ret,
        "exit_class": None if name is None else 0x24, "exit_class_name": name,
    }  # fmt: skip


def fault(at: int, handled: int | None = 10, **facts: Any) -> Any:
    plain = {"kind": "translation", "level": 3, "is_write": True, "mmio": False}
    flags = ("on_stage1_walk", "is_fetch", "is_cache_maintenance", "is_emulated")
    common = {"source": 0, "vm": 0, "vcpu": 0, "time_ns": at, "handled_ns": handled}
    return common | plain | dict.fromkeys(flags, False) | facts


def refault(ipa: int, between: int, **facts: Any) -> Any:
    return {
        "source": 0, "vm": 0, "vcpu": 0, "ipa": ipa, "mapped_ns": 1, "unmapped_ns": 2,
        "fault_ns": 2 + between, "between_ns": between, "cause": "unknown", "is_write": True,
        "is_fetch": False, "guest_fault": 0, "stage2_from": "probes",
    } | facts  # fmt: skip


def state(at: int, mapped: int, writable: int, told: str = "probes", vm: int = 0) -> Any:
    return {"source": 0, "vm": vm, "time_ns": at, "mapped_pages": mapped,
            "writable_pages": writable, "stage2_from": told}  # fmt: skip


def access(at: int, reg: str, is_write: bool, vcpu: int = 0) -> Any:
    return {"source": 0, "vm": 0, "vcpu": vcpu, "time_ns": at, "reg": reg, "is_write": is_write}


def table(declared: Any, rows: list[dict[str, Any]]) -> pa.Table:
    columns = {name: [row.get(name) for row in rows] for name in declared.names}
    return declared.from_columns(columns, len(rows))


def tables(**rows: list[dict[str, Any]]) -> dict[str, pa.Table]:
    declared = (KVM_EXITS, STAGE2_FAULTS, REFAULTS, VM_STATE, SPE_REGISTER_ACCESSES)
    return {t.name: table(t, rows[t.name]) for t in declared if t.name in rows}


def summary(session: dict[str, Any] | None = None, **rows: list[dict[str, Any]]) -> KvmSummary:
    return summarize_kvm(tables(**rows), session or {}, quality_table([(0, Quality())]))


def full_rows() -> dict[str, list[dict[str, Any]]]:
    """Something of everything, on two VMs."""
    return {
        "kvm_exits": [
            exit_(0, 0, 100, 150, "DABT_LOW"), exit_(0, 0, 400, None, "SYS64"),
            exit_(0, 0, 600, 900, None, ret=0), exit_(1, 0, 200, 300, "WFx"),
        ],
        "stage2_faults": [
            fault(110), fault(120, mmio=True, is_emulated=True), fault(410, 30, mmio=True),
        ],
        "refaults": [refault(0x1000, 10**6), refault(0x1000, 10**7), refault(0x2000, 5, is_write=False)],
        "vm_state": [state(0, 0, 0), state(500, 100, 60), state(0, 8, 8, "tracepoints", 1)],
        "spe_register_accesses": [access(150, "PMBPTR_EL1", True), access(160, "PMBPTR_EL1", False)],
    }  # fmt: skip
