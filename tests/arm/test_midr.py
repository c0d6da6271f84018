"""CPUs by MIDR_EL1."""

from __future__ import annotations

import pytest

from spetrace.arm import cpu_name, data_source_table
from spetrace.arm.midr import cpu_model

CPUS = [
    (0x41, 0xD0C, "Neoverse N1", "common"),
    (0x41, 0xD40, "Neoverse V1", "common"),
    (0x41, 0xD49, "Neoverse N2", "common"),
    (0x41, 0xD4F, "Neoverse V2", "common"),
    (0x41, 0xD8E, "Neoverse N3", "common"),
    (0x41, 0xD84, "Neoverse V3", "common"),
    (0x41, 0xD83, "Neoverse V3AE", "common"),
    (0x41, 0xD81, "Cortex-A720", "common"),
    (0x41, 0xD89, "Cortex-A720AE", "common"),
    (0x41, 0xD87, "Cortex-A725", "common"),
    (0x41, 0xD85, "Cortex-X925", "common"),
    (0x41, 0xD4E, "Cortex-X3", "common"),
    (0x41, 0xD4C, "Cortex-X1C", "common"),
    (0xC0, 0xAC4, "AmpereOne (1A)", "ampereone"),
    (0xC0, 0xAC3, "AmpereOne", None),
    (0x48, 0xD06, "HiSilicon HIP12", "hisilicon"),
    (0x48, 0xD01, "Kunpeng 920 (TSV110)", None),
    (0x41, 0xD08, None, None),
    (0x48, 0xD0C, None, None),
]


@pytest.mark.parametrize(("implementer", "part", "name", "table"), CPUS)
@pytest.mark.parametrize("variant_and_revision", [0x0000_0000, 0x0030_0001, 0x00F0_000F])
def test_cpu_is_known_in_every_variant_and_revision(
    implementer: int, part: int, name: str | None, table: str | None, variant_and_revision: int
) -> None:
    midr = implementer << 24 | 0xF << 16 | part << 4 | variant_and_revision
    assert cpu_model(midr) == (implementer, part)
    assert cpu_name(midr) == name
    assert data_source_table(midr) == table


def test_midr_that_is_not_known_has_no_table() -> None:
    assert data_source_table(None) is None
