"""The state of section 3: VMs with their two stages and pins, vCPUs with their SPE registers."""

from dataclasses import dataclass, field

from spetrace.tables.results import COUNTERS

UNMAPPED, READ_ONLY, WRITABLE = "unmapped", "read-only", "writable"


class Vm:
    """One VM: stage 1, stage 2, pins and counters. Pages are numbers, address // page_size."""

    def __init__(self, number, parameters):
        self.number = number
        self.parameters = parameters
        self.costs = parameters.costs
        self.page_size = parameters.page_size
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.vcpus = {}
        self.stage1 = {}  # VA page -> (IPA page, table pages)
        self._stage2 = {}
        self._stage2_elsewhere = WRITABLE if parameters.initial_stage2 == "all" else UNMAPPED
        self.pins = {}  # IPA page -> numbers of the vCPUs that pin it, never empty
        self.whole_pinned = False  # pin-vm, prefault-vm: every IPA page but those in `dropped`
        self.whole_bytes = 0
        self.dropped = set()

    def vcpu(self, number):
        return self.vcpus.setdefault(number, Vcpu(self, number))

    def count(self, counter, by=1):
        self.counters[counter] += by

    def stage2(self, page):
        return self._stage2.get(page, self._stage2_elsewhere)

    def set_stage2(self, page, state):
        self._stage2[page] = state

    # Pins

    def pin_everything(self, pages):
        self.whole_pinned = True
        self.whole_bytes = pages * self.page_size
        self._stage2 = {}
        self._stage2_elsewhere = WRITABLE

    def is_pinned(self, page):
        return page in self.pins or (self.whole_pinned and page not in self.dropped)

    @property
    def pinned_bytes(self):
        host = sum(vcpu.host_pages for vcpu in self.vcpus.values())
        return self.whole_bytes + (len(self.pins) + host) * self.page_size

    def over_memlock(self, new_bytes):
        """Whether that many bytes more than are pinned now are over RLIMIT_MEMLOCK."""
        limit = self.parameters.memlock_bytes
        return limit is not None and self.pinned_bytes + new_bytes > limit

    def over_memlock_with(self, pages):
        new = {page for page in pages if page not in self.pins}
        return self.over_memlock(len(new) * self.page_size)

    def pages_of(self, vcpu):
        return {page for page, holders in self.pins.items() if vcpu.number in holders}

    def pin(self, vcpu, page):
        """Pin a page for a vCPU; returns the cost."""
        self.set_stage2(page, WRITABLE)
        first = page not in self.pins
        self.pins.setdefault(page, set()).add(vcpu.number)
        self.count("pins", int(first))
        return self.costs.pin_page_ns if first else 0

    def release(self, vcpu, page):
        """Release a vCPU's pin; returns the cost."""
        self.pins[page].remove(vcpu.number)
        if self.pins[page]:
            return 0
        del self.pins[page]
        self.count("unpins")
        return self.costs.unpin_page_ns

    def release_all(self, vcpu):
        return sum(self.release(vcpu, page) for page in self.pages_of(vcpu))

    def drop_pins(self, page):
        """A forced unmap: nobody pins the page any more."""
        if page in self.pins:
            del self.pins[page]
        if self.whole_pinned:
            self.dropped.add(page)
            self.whole_bytes = max(0, self.whole_bytes - self.page_size)


@dataclass(eq=False)
class Vcpu:
    vm: Vm
    number: int
    el: int = 1
    pointer: int = 0
    limit: int = 0
    e: bool = False
    e0spe: bool = False
    e1spe: bool = False
    s: bool = False
    reason: str | None = None
    blackout_until: float = float("-inf")
    abort: object = None
    """The abort that S with reason "abort" stands for."""

    # the epoch
    written: list = field(default_factory=list)
    """Its written records, as indices of the log's records."""
    pinned: bool = False
    eret_trapped: bool = False

    # trap-eret-always: the VA pages that the last pin buffer walked; one of them changed since
    walked: set = field(default_factory=set)
    changed: bool = False

    # pin-and-keep: idle IPA page -> since when
    idle: dict = field(default_factory=dict)

    # host-buffer: the buffer in the host, and the written records that are only there
    host_pages: int = 0
    capacity: int = 0
    fill: int = 0
    in_host: list = field(default_factory=list)

    @property
    def armed(self):
        return self.e and not self.s and (self.e0spe or self.e1spe)

    @property
    def enabled(self):
        return self.e and not self.s and (self.e0spe if self.el == 0 else self.e1spe)

    @property
    def buffer_pages(self):
        """The VA pages with a byte in [pointer, LIMIT)."""
        if self.limit <= self.pointer:
            return []
        size = self.vm.page_size
        return list(range(self.pointer // size, (self.limit - 1) // size + 1))

    @property
    def oversize(self):
        return self.limit - self.pointer > self.vm.parameters.max_buffer_bytes

    def charge(self, cost):
        self.vm.count("overhead_ns", cost)

    def stop(self, reason):
        self.s = True
        self.reason = reason

    def begin_epoch(self):
        self.written = []
        self.pinned = False
        self.eret_trapped = False

    def walk(self, page):
        """A software walk of stage 1: (IPA page, table pages), or None."""
        self.vm.count("stage1_walks")
        mapping = self.vm.stage1.get(page)
        if mapping is None:
            self.vm.count("stage1_walk_failures")
        return mapping
