"""Acts of the guest: its driver, its tasks, and what no driver would do."""

from hypothesis import strategies as st

from random_logs.world import limits, mostly, pass_time, pointers, someone

REGISTERS = ("PMBPTR_EL1", "PMBLIMITR_EL1", "PMSCR_EL1", "PMBSR_EL1")


def drain(draw, world, who=None):
    who = who or someone(draw, world)
    if draw(st.booleans()):
        world.write(who, "PMSCR_EL1", 0)
        pass_time(draw, world)
    world.write(who, "PMBLIMITR_EL1", draw(limits(world)))


def records(draw, world, whos):
    """A run of records of one size and pace, by turns of several vCPUs."""
    few = st.integers(1, 8)
    count = draw(st.one_of(few, few, st.integers(8, 70), st.integers(50, 400)))
    size = draw(_sizes(world))
    gap = draw(st.sampled_from([0, 1, 100, 300, 300, 1000, world.irq_ns]))
    for turn in range(count):
        world.now += gap
        world.add(whos[turn % len(whos)], "spe_record", bytes=size)


def _sizes(world):
    size = world.page_size
    parts = [size // 64, size // 16 + 8, size // 2, size, size + 1, 2 * size + 5]
    return mostly(64, st.just(72), st.sampled_from(parts), st.integers(1, 2 * size + 64))


def run(draw, world):
    who = st.tuples(st.integers(0, world.vms - 1), st.integers(0, world.vcpus - 1))
    records(draw, world, draw(st.lists(who, min_size=1, max_size=3)))


def move_pointer(draw, world):
    world.write(someone(draw, world), "PMBPTR_EL1", draw(pointers(world)))


def move_limit(draw, world):
    value = draw(limits(world)) | draw(mostly(1, st.just(0)))
    world.write(someone(draw, world), "PMBLIMITR_EL1", value)


def any_write(draw, world):
    reg = draw(st.sampled_from(REGISTERS))
    world.write(someone(draw, world), reg, draw(st.one_of(_any_value(world), st.integers(0, 3))))


def _any_value(world):
    return st.one_of(pointers(world), limits(world), st.integers(0, 2**64 - 1))


def scr(draw, world):
    world.write(someone(draw, world), "PMSCR_EL1", draw(st.integers(0, 3)))


def status(draw, world):
    world.write(
        someone(draw, world), "PMBSR_EL1", draw(st.sampled_from([0, 0, 0, 1 << 17, 1 << 19]))
    )


def eret(draw, world):
    world.add(someone(draw, world), "eret", to_el=draw(st.sampled_from([0, 0, 1])))


def exception(draw, world):
    world.add(someone(draw, world), "exception")


def buffer_full(draw, world):
    world.add(someone(draw, world), "buffer_full")
