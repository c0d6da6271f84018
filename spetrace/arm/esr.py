"""ESR_EL2: classes, abort syndromes and fault status codes.

Sources: Arm ARM (DDI 0487) section D24.2 "ESR_EL2"; Linux 6.12 arch/arm64/include/asm/esr.h and
kvm_arm.h (the names that trace_kvm_exit prints). All functions take an int or a numpy array.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

EC_SHIFT: Final = 26
EC_MASK: Final = 0x3F
IABT_LOW: Final = 0x20
DABT_LOW: Final = 0x24
SYS64: Final = 0x18

CM: Final = 1 << 8
S1PTW: Final = 1 << 7
WNR: Final = 1 << 6
FSC_MASK: Final = 0x3F

EXIT_CLASS_NAMES: Final = {
    0x00: "UNKNOWN", 0x01: "WFx", 0x03: "CP15_32", 0x04: "CP15_64", 0x05: "CP14_MR",
    0x06: "CP14_LS", 0x07: "FP_ASIMD", 0x08: "CP10_ID", 0x09: "PAC", 0x0C: "CP14_64",
    0x0D: "BTI", 0x0E: "ILL", 0x11: "SVC32", 0x12: "HVC32", 0x13: "SMC32", 0x15: "SVC64",
    0x16: "HVC64", 0x17: "SMC64", 0x18: "SYS64", 0x19: "SVE", 0x1A: "ERET", 0x1C: "FPAC",
    0x1D: "SME", 0x1F: "IMP_DEF", 0x20: "IABT_LOW", 0x21: "IABT_CUR", 0x22: "PC_ALIGN",
    0x24: "DABT_LOW", 0x25: "DABT_CUR", 0x26: "SP_ALIGN", 0x27: "MOPS", 0x28: "FP_EXC32",
    0x2C: "FP_EXC64", 0x2F: "SERROR", 0x30: "BREAKPT_LOW", 0x31: "BREAKPT_CUR",
    0x32: "SOFTSTP_LOW", 0x33: "SOFTSTP_CUR", 0x34: "WATCHPT_LOW", 0x35: "WATCHPT_CUR",
    0x38: "BKPT32", 0x3A: "VECTOR32", 0x3C: "BRK64",
}  # fmt: skip
"""ESR_EL2.EC to the kernel's name of it."""

FAULT_KINDS: Final = ("translation", "permission", "access", "other")
TRANSLATION, PERMISSION, ACCESS, OTHER = range(4)
NO_LEVEL: Final = -128

KVM_EXIT_NAMES: Final = {0: "IRQ", 1: "EL1_SERROR", 3: "IL", 0xBADCA11: "HYP_GONE"}
"""trace_kvm_exit's ret but for traps (kvm_arm_exception_type, kvm_asm.h; IL has no name there)."""
KVM_EXIT_TRAP: Final = 2
"""trace_kvm_exit's ret where esr_ec holds a class (ARM_EXCEPTION_TRAP, kvm_asm.h)."""


def exception_class(esr: Any) -> Any:
    """EC, bits 31:26."""
    return (esr >> EC_SHIFT) & EC_MASK


def fault_status(esr: Any) -> Any:
    """DFSC or IFSC, bits 5:0 of an abort's syndrome."""
    return esr & FSC_MASK


def is_fetch(esr: Any) -> Any:
    """Whether an abort is an instruction abort from a lower level."""
    return exception_class(esr) == IABT_LOW


def on_stage1_walk(esr: Any) -> Any:
    """S1PTW: the fault came on a stage-2 translation of a stage-1 table walk."""
    return (esr & S1PTW) != 0


def is_cache_maintenance(esr: Any) -> Any:
    """CM: a data abort of a cache maintenance or address translation instruction."""
    return np.logical_and((esr & CM) != 0, exception_class(esr) == DABT_LOW)


def write_not_read(esr: Any) -> Any:
    """WnR, bit 6: the access was a write (also set for cache maintenance)."""
    return (esr & WNR) != 0


def is_translation_fault(esr: Any) -> Any:
    """DFSC 0b0001LL, a translation fault of level 0 to 3."""
    return (esr & 0x3C) == 0x04


def is_permission_fault(esr: Any) -> Any:
    """DFSC 0b0011LL, a permission fault of level 0 to 3."""
    return (esr & 0x3C) == 0x0C


def is_write_fault(esr: Any) -> Any:
    """Whether KVM takes an abort for a write (kvm_is_write_fault, arch/arm64/kvm/mmu.c).

    On a stage-1 walk only a permission fault is one (the walker updates a descriptor); a fetch
    never is.
    """
    walk = on_stage1_walk(esr)
    data_write = np.logical_and(write_not_read(esr), np.logical_not(is_fetch(esr)))
    return np.where(walk, is_permission_fault(esr), data_write)


def fault_kind(status: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
    """Index into FAULT_KINDS of each fault status code."""
    kind: npt.NDArray[np.uint8] = _KIND_BY_STATUS[status & FSC_MASK]
    return kind


def fault_level(status: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int8]:
    """Lookup level of each fault status code, -1 to 3; NO_LEVEL where the code names none."""
    level: npt.NDArray[np.int8] = _LEVEL_BY_STATUS[status & FSC_MASK]
    return level


def _tables() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int8]]:
    kind = np.full(64, OTHER, np.uint8)
    level = np.full(64, NO_LEVEL, np.int8)
    for first, of in ((0x04, TRANSLATION), (0x08, ACCESS), (0x0C, PERMISSION)):
        kind[first : first + 4] = of
    for first in (0x00, 0x04, 0x08, 0x0C, 0x14, 0x1C):
        level[first : first + 4] = np.arange(4)
    kind[0x2B] = TRANSLATION
    level[[0x29, 0x2B, 0x13, 0x1B]] = -1
    return kind, level


_KIND_BY_STATUS, _LEVEL_BY_STATUS = _tables()
