"""Pin the buffer when armed and keep idle pages pinned for a while."""

from collections.abc import Iterable
from typing import ClassVar

from spetrace.replay.page_map import PageMap, PageRange
from spetrace.replay.pinning import oversize, walk
from spetrace.replay.strategy import Strategy
from spetrace.replay.vcpu import Vcpu

_LIVE = -1
_ALL_PAGES = (0, 1 << 64)
Held = PageMap[int | None]
"""Per IPA page that the vCPU pinned: live, or since when it is idle."""


class PinAndKeep(Strategy):
    """Pages stay pinned for keep_ns after the last buffer that held them was disarmed."""

    name = "pin-and-keep"
    doc = (
        "Trap the SPE registers; pin what is not pinned yet when a write arms the buffer, and keep "
        "idle pages pinned for keep_ns."
    )
    origin = (
        "asked for in the review of RFC v6 (January 2026): a per-task perf event pins and unpins at "
        "every context switch"
    )
    requires: ClassVar[tuple[str, ...]] = ("RLIMIT_MEMLOCK of all buffers used within keep_ns",)
    traps_registers = True

    def on_armed(self, vcpu: Vcpu) -> None:
        """Make the buffer's pages live, pinning what is not pinned yet."""
        if oversize(vcpu):
            self._turn_idle(vcpu)
            return
        found = walk(vcpu, *vcpu.buffer_pages)
        vcpu.charge(found.count * self.costs.walk_page_ns)
        self._turn_idle(vcpu, found.pages)
        stage2 = vcpu.vm.stage2
        missing = stage2.without_pin(found.pages, vcpu.pin_bit)
        if missing and self._make_room(vcpu, missing):
            vcpu.charge(vcpu.vm.pin(missing, vcpu.pin_bit))
            for first, end in missing:
                _held(vcpu).assign(first, end, _LIVE)
        if found.failures:
            vcpu.report_stage1_fault()

    def on_disabled(self, vcpu: Vcpu) -> None:
        """Turn the live pages idle."""
        self._turn_idle(vcpu)

    def on_time(self, vcpu: Vcpu, now: int) -> None:
        """Release the pages that have been idle for keep_ns."""
        keep = self.parameters.keep_ns
        if keep is not None:
            self._release_idle(vcpu, now - keep)

    def _turn_idle(self, vcpu: Vcpu, still_live: Iterable[PageRange] = ()) -> None:
        """Pages of `still_live` become live, all other live ones idle from now on."""
        held, now = _held(vcpu), vcpu.now
        met = held.transform(*_ALL_PAGES, lambda since: now if since == _LIVE else since)
        for first, end in still_live:
            held.transform(first, end, lambda since: since if since is None else _LIVE)
        if self.parameters.keep_ns is not None and any(old == _LIVE for _, old, _ in met):
            vcpu.wake_at(now + self.parameters.keep_ns)

    def _make_room(self, vcpu: Vcpu, missing: list[PageRange]) -> bool:
        """Whether `missing` can be pinned, if need be after the idle pages are released."""
        vm = vcpu.vm
        limit = vm.parameters.memlock_bytes
        if limit is None:
            return True
        if vm.pinned_bytes + vm.stage2.unpinned(missing) * vm.page_size > limit:
            self._release_idle(vcpu, vcpu.now)
        return vm.fits_memlock(vm.stage2.unpinned(missing) * vm.page_size)

    def _release_idle(self, vcpu: Vcpu, until: int) -> None:
        """Release the pages that are idle since `until` or before."""
        held = _held(vcpu)
        idle = [
            (first, end)
            for first, end, since in held.runs(*_ALL_PAGES)
            if since is not None and since != _LIVE and since <= until
        ]
        vcpu.charge(vcpu.vm.release(idle, vcpu.pin_bit))
        for first, end in idle:
            held.assign(first, end, None)


def _held(vcpu: Vcpu) -> Held:
    held: Held = vcpu.notes.setdefault("held", PageMap(None))
    return held
