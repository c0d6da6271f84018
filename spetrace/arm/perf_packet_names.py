"""Words in which perf prints SPE address and counter packets.

Source: perf of Linux 7.3, tools/perf/util/arm-spe-decoder/arm-spe-pkt-decoder.c. Its words for
events and operations are in `events` and `operation`.
"""

from __future__ import annotations

from typing import Final

from spetrace.arm.spe_packets import AddressIndex, CounterIndex

ADDRESS_NAMES: Final = {
    int(AddressIndex.PC): "PC",
    int(AddressIndex.BRANCH_TARGET): "TGT",
    int(AddressIndex.DATA_VA): "VA",
    int(AddressIndex.DATA_PA): "PA",
    int(AddressIndex.PREVIOUS_BRANCH_TARGET): "PBT",
}
"""By index; the others are shown raw."""

COUNTER_NAMES: Final = {
    int(CounterIndex.TOTAL_LATENCY): "TOT",
    int(CounterIndex.ISSUE_LATENCY): "ISSUE",
    int(CounterIndex.TRANSLATION_LATENCY): "XLAT",
}
"""By index; the others have no name, and perf prints none."""
