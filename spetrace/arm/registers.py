"""The SPE profiling buffer's registers: fields used by the session and the replay.

Source: Arm ARM (DDI 0487) section D24.7, registers PMBLIMITR_EL1, PMBSR_EL1 and PMSCR_EL1.
"""

from __future__ import annotations

from typing import Final

PMBLIMITR_E: Final = 1 << 0
PMBLIMITR_LIMIT: Final = 0xFFFF_FFFF_FFFF_F000

PMSCR_E0SPE: Final = 1 << 0
PMSCR_E1SPE: Final = 1 << 1

PMBSR_S: Final = 1 << 17


def pmscr(*, exclude_user: bool, exclude_kernel: bool) -> int:
    """PMSCR_EL1 as Linux sets it for an event (arm_spe_event_to_pmscr, drivers/perf/arm_spe_pmu.c)."""
    return (0 if exclude_user else PMSCR_E0SPE) | (0 if exclude_kernel else PMSCR_E1SPE)
