"""MIDR_EL1 of the CPUs that the tests name, any variant and revision."""

from __future__ import annotations

NEOVERSE_N1 = 0x413F_D0C1
NEOVERSE_V1 = 0x411F_D401
AMPERE1A = 0xC00F_AC40
HISI_HIP12 = 0x480F_D060
KUNPENG_920 = 0x481F_D010
CORTEX_A72 = 0x410F_D083

OF_TABLE = {"common": NEOVERSE_V1, "ampereone": AMPERE1A, "hisilicon": HISI_HIP12, None: CORTEX_A72}
