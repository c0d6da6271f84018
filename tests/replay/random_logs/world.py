"""The small world that the events of a random log are about, and draws of its pages."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

VA_PAGES, IPA_PAGES = 10, 12
VA_BASES = (0xFFFF_8000_0000_0000, 0, 2**64 - (24 << 16))
IPA_BASES = (0, 1 << 30, 2**52 - (40 << 16))
LARGEST_LIMIT = 2**64 - 4096


def mostly(value, *others):
    """`value` in more than half of the draws."""
    return st.integers(0, 4).flatmap(lambda n: st.just(value) if n < 3 else st.one_of(*others))


@dataclass
class World:
    """What the events of one log are about."""

    page_size: int
    vms: int
    vcpus: int
    irq_ns: int
    keep_ns: int | None
    va_base: int
    ipa_base: int
    events: list = field(default_factory=list)
    now: int = 0
    busy: tuple = (0, 0)
    """VM and vCPU that programmed the last buffer."""
    live_page: int = 0
    """The VA page where that buffer begins."""
    first_ipa_page: int = 0
    """Where the last VM's buffers were mapped to at first."""

    def add(self, who, kind, **fields):
        vm, vcpu = who
        self.events.append({"ts": self.now, "vm": vm, "vcpu": vcpu, "kind": kind} | fields)

    def write(self, who, reg, value):
        self.add(who, "sysreg_write", reg=reg, value=value)

    def va(self, page, offset=0):
        return self.va_base + page * self.page_size + offset

    def ipa(self, page):
        return self.ipa_base + page * self.page_size


def pass_time(draw, world):
    """Often none at all, or to just before, at or after the end of a blackout or of a keep_ns."""
    spans = [0, 0, 20, 300, world.irq_ns, 5000]
    spans += [world.keep_ns] if world.keep_ns is not None else []
    world.now += max(0, draw(st.sampled_from(spans)) + draw(st.sampled_from([0, 0, 0, -1, 1])))


def someone(draw, world):
    return world.busy if draw(st.booleans()) else anyone(draw, world)


def anyone(draw, world):
    return draw(st.integers(0, world.vms - 1)), draw(st.integers(0, world.vcpus - 1))


def tables(world):
    page = st.integers(0, IPA_PAGES + 1).map(world.ipa)
    return mostly([], st.lists(page, max_size=3), st.lists(page, max_size=1))


def offsets(world):
    edges = st.sampled_from([64, world.page_size - 32, world.page_size - 1])
    return mostly(0, edges, st.integers(0, world.page_size - 1))


def pointers(world):
    return st.builds(world.va, st.integers(0, VA_PAGES - 2), offsets(world))


def limits(world):
    near = st.integers(1, VA_PAGES + 1).map(world.va)
    within = st.builds(
        lambda page, part: world.va(page, part * 4096),
        st.integers(0, VA_PAGES),
        st.integers(0, world.page_size // 4096 - 1),
    )
    return st.one_of(near, near, near, within, st.sampled_from([0, LARGEST_LIMIT]))
