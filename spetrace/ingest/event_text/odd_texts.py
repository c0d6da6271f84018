"""What a text log lacks that its reader should know of."""

from __future__ import annotations

from collections.abc import Mapping

from spetrace.ingest.event_text.relative_times import Origin
from spetrace.quality import Quality

_AFTER_AN_EXIT = ("kvm_userspace_exit", "kvm_guest_fault", "kvm_hvc_arm64", "kvm_wfx_arm64")
_KVM = ("kvm_", "vgic_")


def count_oddities(
    quality: Quality,
    counts: Mapping[str, int],
    origin: Origin | None,
    threadless: int,
    may_lack_guest: bool,
) -> None:
    """Count what is odd about a text with these numbers of events by name.

    `threadless` of them tell no thread. `may_lack_guest`: perf script printed it, and no sample that
    was taken while a guest ran is in it.
    """
    events = sum(counts.values())
    if origin is not None:
        quality.add("text_times_without_clock", events, f"times count from {origin.value}")
    quality.add("text_events_without_thread", threadless)
    kvm = sum(count for event, count in counts.items() if event.startswith(_KVM))
    exits = max(counts.get("kvm_entry", 0), counts.get("kvm_exit", 0))
    if may_lack_guest and exits < max(counts.get(event, 0) for event in _AFTER_AN_EXIT):
        detail = f"{exits} guest entries or exits among {kvm} KVM events"
        quality.add("perf_script_without_guest", kvm, detail)
