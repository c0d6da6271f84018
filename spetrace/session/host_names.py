"""The tracepoints and probes that the session reads of a host."""

from __future__ import annotations

from typing import Final

ENTRY, EXIT, GUEST_FAULT = "kvm_entry", "kvm_exit", "kvm_guest_fault"
MMIO: Final = ("kvm_mmio", "kvm_mmio_emulate", "kvm_mmio_nisv")
UNMAP_HVA, SET_SPTE_HVA = "kvm_unmap_hva_range", "kvm_set_spte_hva"
MEMSLOT = "memslot"
S2_MAP, S2_UNMAP, S2_RELAX, S2_WP = "s2_map", "s2_unmap", "s2_relax", "s2_wp"
FOLLOWED: Final = (ENTRY, EXIT, *MMIO)
"""Of these nothing is kept; see vcpu_tracks."""
COLUMNS: Final = {
    GUEST_FAULT: ("hsr", "ipa", "hxfar", "vcpu_pc"),
    UNMAP_HVA: ("start", "end"),
    SET_SPTE_HVA: ("hva",),
    **dict.fromkeys((S2_MAP, S2_UNMAP, S2_RELAX, S2_WP), ("pgt", "ipa", "size", "prot")),
}
"""The fields that are kept of those of which there may be many; see event_columns."""
MEMSLOT_FIELDS: Final = ("tgid", "slot", "flags", "gpa", "hva", "size")
USED: Final = (*FOLLOWED, *COLUMNS, MEMSLOT)
