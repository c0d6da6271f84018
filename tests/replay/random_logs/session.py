"""Random parameters of a session."""

from hypothesis import strategies as st

from random_logs.world import mostly
from spetrace.tables.events import CAUSES


def pages_of(page_size, largest):
    """A size around a few pages."""
    whole = st.integers(0, largest).map(lambda pages: pages * page_size)
    return st.one_of(whole, whole, st.integers(0, largest * page_size))


def memory_of(page_size):
    """A VM's RAM: a byte of it at least."""
    return pages_of(page_size, 16).map(lambda size: max(size, 1))


@st.composite
def sessions(draw):
    """A session line's parameters, as they stand in the line."""
    page_size = draw(st.sampled_from([4096, 4096, 4096, 16384, 65536]))
    memlock = mostly(None, pages_of(page_size, 20), pages_of(page_size, 20), pages_of(page_size, 5))
    stage2 = st.sampled_from(["empty", "empty", "all"])
    session = {
        "page_size": page_size,
        "memory_bytes": draw(memory_of(page_size)),
        "memlock_bytes": draw(memlock),
        "max_buffer_bytes": draw(mostly(256 << 20, st.just(1 << 20), pages_of(page_size, 8))),
        "initial_stage2": draw(stage2),
        "dl_model": draw(st.sampled_from(["straddle", "always", "never"])),
        "data_loss": draw(st.sampled_from(["discard", "discard", "keep"])),
        "pin_refuses": draw(mostly("swap,migrate,ksm,numa,compact,unknown", _causes())),
        "keep_ns": draw(st.one_of(st.none(), st.sampled_from([0, 1, 300, 1000, 5000, 40_000]))),
        "host_buffer_bytes": draw(
            st.one_of(st.sampled_from([0, 64, 1 << 20]), pages_of(page_size, 4))
        ),
        "costs": draw(_costs()),
    }
    vms = st.fixed_dictionaries(
        {},
        optional={
            "memory_bytes": memory_of(page_size),
            "memlock_bytes": memlock,
            "initial_stage2": stage2,
        },
    )
    session["vms"] = draw(st.dictionaries(st.sampled_from(["0", "1", "2"]), vms, max_size=2))
    return session


def _causes():
    return st.lists(st.sampled_from(CAUSES), unique=True).map(",".join)


def _costs():
    odd = {"vm_exit_ns": 1009, "walk_page_ns": 211, "map_page_ns": 503, "pin_page_ns": 701}
    odd |= {"unpin_page_ns": 307, "sysreg_trap_ns": 1013, "eret_trap_ns": 1019, "copy_page_ns": 401}
    irq = st.sampled_from([0, 1, 300, 1000, 1000, 4000])
    return irq.flatmap(lambda irq_ns: st.just(odd | {"irq_ns": irq_ns}))
