"""The guests that a host's recorder knew: which of its threads is which vCPU (trace-cmd record -A)."""

from __future__ import annotations

from typing import NamedTuple

from spetrace.session.host_trace import HostTrace


class RecordedGuests(NamedTuple):
    """By host thread the guest that it runs, and which of its vCPUs it is."""

    vm_of: dict[int, int | str]
    vcpu_of: dict[int, int]


def recorded_guests(host: HostTrace) -> RecordedGuests:
    """What the properties `guests` of the host's recordings say."""
    guests = RecordedGuests({}, {})
    for recording in host.recordings:
        for guest in recording.properties.get("guests", ()):
            for vcpu, tid in guest["vcpu_tids"].items():
                guests.vm_of[tid] = f"guest {guest['trace_id']} {guest['name']}"
                guests.vcpu_of[tid] = int(vcpu)
    return guests
