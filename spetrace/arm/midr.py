"""MIDR_EL1: which CPU took the samples.

Sources: Arm ARM (DDI 0487) "MIDR_EL1, Main ID Register"; Linux 6.19
arch/arm64/include/asm/cputype.h (implementer and part numbers).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class CpuModel(NamedTuple):
    """The fields of MIDR_EL1 that name a CPU in all its variants and revisions."""

    implementer: int
    part: int


NEOVERSE_N1: Final = CpuModel(0x41, 0xD0C)
NEOVERSE_V1: Final = CpuModel(0x41, 0xD40)
NEOVERSE_N2: Final = CpuModel(0x41, 0xD49)
CORTEX_X1C: Final = CpuModel(0x41, 0xD4C)
CORTEX_X3: Final = CpuModel(0x41, 0xD4E)
NEOVERSE_V2: Final = CpuModel(0x41, 0xD4F)
CORTEX_A720: Final = CpuModel(0x41, 0xD81)
NEOVERSE_V3AE: Final = CpuModel(0x41, 0xD83)
NEOVERSE_V3: Final = CpuModel(0x41, 0xD84)
CORTEX_X925: Final = CpuModel(0x41, 0xD85)
CORTEX_A725: Final = CpuModel(0x41, 0xD87)
CORTEX_A720AE: Final = CpuModel(0x41, 0xD89)
NEOVERSE_N3: Final = CpuModel(0x41, 0xD8E)
KUNPENG_920: Final = CpuModel(0x48, 0xD01)
HISI_HIP09: Final = CpuModel(0x48, 0xD02)
HISI_HIP12: Final = CpuModel(0x48, 0xD06)
AMPERE1: Final = CpuModel(0xC0, 0xAC3)
AMPERE1A: Final = CpuModel(0xC0, 0xAC4)

CPU_NAMES: Final = {
    NEOVERSE_N1: "Neoverse N1", NEOVERSE_V1: "Neoverse V1", NEOVERSE_N2: "Neoverse N2",
    CORTEX_X1C: "Cortex-X1C", CORTEX_X3: "Cortex-X3", NEOVERSE_V2: "Neoverse V2",
    CORTEX_A720: "Cortex-A720", NEOVERSE_V3AE: "Neoverse V3AE", NEOVERSE_V3: "Neoverse V3",
    CORTEX_X925: "Cortex-X925", CORTEX_A725: "Cortex-A725", CORTEX_A720AE: "Cortex-A720AE",
    NEOVERSE_N3: "Neoverse N3", KUNPENG_920: "Kunpeng 920 (TSV110)", HISI_HIP09: "HiSilicon HIP09",
    HISI_HIP12: "HiSilicon HIP12", AMPERE1: "AmpereOne", AMPERE1A: "AmpereOne (1A)",
}  # fmt: skip
"""CPUs with SPE to the name that their makers sell them under."""


def cpu_model(midr: int) -> CpuModel:
    """Implementer (bits 31:24) and part number (bits 15:4)."""
    return CpuModel(midr >> 24 & 0xFF, midr >> 4 & 0xFFF)


def cpu_name(midr: int) -> str | None:
    """The CPU's name; None for one that isn't in CPU_NAMES."""
    return CPU_NAMES.get(cpu_model(midr))
