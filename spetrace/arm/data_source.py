"""Data source of an SPE record: which memory answered a load, in the CPU's own encoding.

Source: Linux 6.19 tools/perf/util/arm-spe.c (`common_ds_encoding_cpus` and the two lists after it,
`arm_spe__synth_data_source_*`) and arm-spe-decoder/arm-spe-decoder.h, whose enumerators the names
are.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from spetrace.arm import midr as cpus


class DataSource(NamedTuple):
    """One value of a data source packet, and what perf makes of it for a load."""

    name: str
    level: str | None
    """L1, L2, L3, RAM, IO or ANY-CACHE; None where the value doesn't tell."""
    hit: bool | None = True
    snoop: str | None = None
    """NONE, HIT or HITM (another cache had it, HITM: modified); None where the value doesn't tell."""
    peer: bool = False
    """It came from another core's or cluster's cache."""
    remote: bool = False
    """It came from another socket."""


COMMON: Final = {
    0x0: DataSource("L1D", "L1", snoop="NONE"),
    0x8: DataSource("L2", "L2", snoop="NONE"),
    0x9: DataSource("PEER-CORE", "L2", peer=True),
    0xA: DataSource("LOCAL-CLUSTER", "L3", peer=True),
    0xB: DataSource("SYS-CACHE", "L3", snoop="HIT"),
    0xC: DataSource("PEER-CLUSTER", "L3", peer=True),
    0xD: DataSource("REMOTE", None, None, peer=True, remote=True),
    0xE: DataSource("DRAM", "RAM", snoop="NONE"),
}
"""Arm's own cores. A cluster's cache is L3 here, as in perf, which knows no larger hierarchy."""

AMPEREONE: Final = {
    0x0: COMMON[0x9]._replace(name="LOCAL-CHIP-CACHE-OR-DEVICE"),
    0x3: COMMON[0xB]._replace(name="SLC"),
    0x5: COMMON[0xD]._replace(name="REMOTE-CHIP-CACHE"),
    0x7: COMMON[0xE]._replace(name="DDR"),
    0x8: COMMON[0x0]._replace(name="L1D"),
    0x9: COMMON[0x8]._replace(name="L2D"),
}

HISILICON: Final = {
    0: DataSource("PEER-CPU", "L2", peer=True),
    1: DataSource("PEER-CPU-HITM", "L2", snoop="HITM", peer=True),
    2: DataSource("L3", "L3", snoop="HIT"),
    3: DataSource("L3-HITM", "L3", snoop="HITM"),
    4: DataSource("PEER-CLUSTER", "L3", peer=True),
    5: DataSource("PEER-CLUSTER-HITM", "L3", snoop="HITM", peer=True),
    6: DataSource("REMOTE-SOCKET", "ANY-CACHE", None, peer=True, remote=True),
    7: DataSource("REMOTE-SOCKET-HITM", "ANY-CACHE", None, "HITM", peer=True, remote=True),
    8: DataSource("LOCAL-MEM", "RAM", snoop="NONE"),
    9: DataSource("REMOTE-MEM", "RAM", remote=True),
    13: DataSource("NC-DEV", "IO", snoop="NONE"),
    16: DataSource("L2", "L2", snoop="NONE"),
    17: DataSource("L2-HITM", "L2", snoop="HITM"),
    18: DataSource("L1", "L1", snoop="NONE"),
}

TABLES: Final = {"common": COMMON, "ampereone": AMPEREONE, "hisilicon": HISILICON}
"""The encodings: value of the data source packet to its meaning."""

TABLE_OF_CPU: Final = {
    **dict.fromkeys(
        (
            cpus.NEOVERSE_N1,
            cpus.NEOVERSE_N2,
            cpus.NEOVERSE_V1,
            cpus.NEOVERSE_V2,
            cpus.CORTEX_A720,
            cpus.CORTEX_A720AE,
            cpus.CORTEX_A725,
            cpus.CORTEX_X1C,
            cpus.CORTEX_X3,
            cpus.CORTEX_X925,
        ),
        "common",
    ),
    # perf 7.3 reads a V3's data sources by the common encoding. N3 and V3AE, in no version of its
    # list that could be read, are of the same generation and taken for common too.
    **dict.fromkeys((cpus.NEOVERSE_N3, cpus.NEOVERSE_V3, cpus.NEOVERSE_V3AE), "common"),
    cpus.AMPERE1A: "ampereone",
    cpus.HISI_HIP12: "hisilicon",
}
"""CPU to its encoding in TABLES."""


def data_source_table(midr: int | None) -> str | None:
    """Which of TABLES a CPU uses: common, ampereone or hisilicon; None where that isn't known."""
    return TABLE_OF_CPU.get(cpus.cpu_model(midr)) if midr is not None else None


def data_source(value: int, midr: int | None) -> DataSource | None:
    """The meaning of a data source packet's value; None for an unknown CPU or value."""
    table = data_source_table(midr)
    return TABLES[table].get(value) if table else None


def data_source_name(value: int, midr: int | None) -> str | None:
    """The name of a data source packet's value; None for an unknown CPU or value.

    >>> data_source_name(0xE, 0x413FD0C1)
    'DRAM'
    """
    source = data_source(value, midr)
    return source.name if source else None
