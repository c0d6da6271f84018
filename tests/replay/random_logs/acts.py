"""What can happen in a log, as often as it is listed; each act draws its events."""

from hypothesis import strategies as st

from random_logs import guest, mappings
from random_logs.guest import drain, records
from random_logs.world import LARGEST_LIMIT, VA_PAGES, anyone, mostly, offsets, pass_time

DISTURBANCES = [guest.eret, guest.exception, guest.scr, guest.status, guest.move_limit]
DISTURBANCES += [mappings.stage1_map, mappings.stage1_again]
DISTURBANCES += [mappings.stage1_unmap, mappings.forget, mappings.stage1_unmap_and_refit]
DISTURBANCES += [mappings.stage2_map, mappings.stage2_wrprotect]
DISTURBANCES += [mappings.stage2_unmap, mappings.reclaim, mappings.reclaim]


def program(draw, world):
    """PMBPTR, PMBLIMITR with E, PMSCR; records, mostly with something amid them; a drain."""
    who = world.busy = anyone(draw, world)
    scr = draw(st.sampled_from([1, 1, 1, 2, 3, 3, 3, 3]))
    first = world.live_page = draw(st.integers(0, VA_PAGES - 2))
    last = draw(st.integers(first + 1, VA_PAGES))
    writes = [("PMBPTR_EL1", world.va(first, draw(offsets(world)))), ("PMSCR_EL1", scr)]
    writes.insert(draw(st.integers(1, 2)), ("PMBLIMITR_EL1", world.va(last) | 1))
    if draw(st.booleans()):
        writes.insert(0, ("PMBSR_EL1", 0))
    for reg, value in writes:
        world.write(who, reg, value)
        world.now += draw(st.sampled_from([0, 20]))
    for to_el in draw(st.sampled_from([[0], [0], [1, 0], [0, 1, 0], [1], []])):
        world.add(who, "eret", to_el=to_el)
    records(draw, world, [who])
    for _ in range(draw(st.integers(0, 4))):
        draw(st.sampled_from(DISTURBANCES))(draw, world)
        pass_time(draw, world)
        records(draw, world, [who])
    if draw(st.booleans()):
        drain(draw, world, who)


def churn(draw, world):
    """A buffer, or two by turns, programmed and drained again and again, as per task."""
    vm, _ = world.busy
    whos = [world.busy, (vm, draw(st.integers(0, world.vcpus - 1)))]
    for turn in range(draw(st.integers(2, 7))):
        who = whos[turn % len(whos)]
        first = world.live_page = draw(st.integers(0, VA_PAGES - 4))
        world.write(who, "PMBPTR_EL1", world.va(first))
        world.write(who, "PMBLIMITR_EL1", world.va(first + draw(st.integers(1, 3))) | 1)
        world.write(who, "PMSCR_EL1", 3)
        pass_time(draw, world)
        world.add(who, "spe_record", bytes=64)
        if draw(mostly(True, st.just(False))):
            world.write(who, "PMBLIMITR_EL1", 0)
        pass_time(draw, world)


def switch_tasks(draw, world):
    """Profiling of EL0 alone, with changes of the buffer in between that KVM may not see."""
    who = world.busy
    changes = [mappings.stage1_map, mappings.stage1_again, mappings.stage1_unmap, widen, widen]
    changes.append(guest.exception)
    world.write(who, "PMSCR_EL1", 1)
    for _ in range(draw(st.integers(1, 6))):
        world.add(who, "exception")
        draw(st.sampled_from(changes))(draw, world)
        world.add(who, "eret", to_el=draw(mostly(0, st.just(1))))
        pass_time(draw, world)
        if draw(st.booleans()):
            world.add(who, "spe_record", bytes=64)


def widen(draw, world):
    pages = draw(st.sampled_from([1, 2, 4, 1 << 20]))
    world.write(
        world.busy, "PMBLIMITR_EL1", min(world.va(world.live_page + pages), LARGEST_LIMIT) | 1
    )


ACTS = [program] * 12 + [churn] * 4 + [switch_tasks] * 3 + [guest.run] * 2 + DISTURBANCES
ACTS += [guest.drain, guest.move_pointer, guest.any_write, guest.buffer_full]
