"""The SPE system registers: how a trapped access names them, by Op0, Op1, CRn, CRm and Op2.

Sources: Arm ARM (DDI 0487) section D24.7; Linux 6.12 arch/arm64/tools/sysreg and, for PMBMAR_EL1 and
PMSDSFR_EL1, later patches to it.
"""

from __future__ import annotations

from typing import Final

Encoding = tuple[int, int, int, int, int]

SPE_REGISTERS: Final[dict[Encoding, str]] = {
    (3, 0, 9, 9, 0): "PMSCR_EL1",
    (3, 0, 9, 9, 1): "PMSNEVFR_EL1",
    (3, 0, 9, 9, 2): "PMSICR_EL1",
    (3, 0, 9, 9, 3): "PMSIRR_EL1",
    (3, 0, 9, 9, 4): "PMSFCR_EL1",
    (3, 0, 9, 9, 5): "PMSEVFR_EL1",
    (3, 0, 9, 9, 6): "PMSLATFR_EL1",
    (3, 0, 9, 9, 7): "PMSIDR_EL1",
    (3, 0, 9, 10, 0): "PMBLIMITR_EL1",
    (3, 0, 9, 10, 1): "PMBPTR_EL1",
    (3, 0, 9, 10, 3): "PMBSR_EL1",
    (3, 0, 9, 10, 4): "PMSDSFR_EL1",
    (3, 0, 9, 10, 5): "PMBMAR_EL1",
    (3, 0, 9, 10, 7): "PMBIDR_EL1",
    (3, 4, 9, 9, 0): "PMSCR_EL2",
    (3, 5, 9, 9, 0): "PMSCR_EL12",
}
"""Op0, Op1, CRn, CRm, Op2 to the register."""


def packed(encoding: Encoding) -> int:
    """An encoding as one number: Op0, Op1, CRn, CRm and Op2, four bits each."""
    number = 0
    for part in encoding:
        number = number << 4 | part
    return number
