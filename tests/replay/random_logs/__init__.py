"""Random event logs: guests that program, use and misuse their profiling buffers in a small world.

A log is drawn as a list of acts (a register write, a whole programming, a run of records, a
change of a mapping), so that it shrinks to few of them. All VMs and vCPUs share few VA and IPA
pages, so that buffers, table pages and pins overlap.
"""

from hypothesis import strategies as st

from random_logs.acts import ACTS
from random_logs.mappings import boot
from random_logs.session import sessions
from random_logs.world import IPA_BASES, VA_BASES, World, mostly, pass_time

__all__ = ["logs"]


@st.composite
def logs(draw, acts=16):
    """(a session line's parameters, a list of event dicts sorted by ts)."""
    session = draw(sessions())
    vms, vcpus = draw(st.sampled_from([(1, 1), (1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 2)]))
    spans = session["costs"]["irq_ns"], session["keep_ns"]
    bases = draw(mostly(VA_BASES[0], st.sampled_from(VA_BASES))), draw(st.sampled_from(IPA_BASES))
    world = World(session["page_size"], vms, vcpus, *spans, *bases)
    world.now = draw(mostly(0, st.just(-500), st.just(10**15)))
    for vm in range(vms):
        boot(draw, world, (vm, 0))
    for _ in range(draw(st.one_of(st.integers(1, acts), st.just(acts)))):
        pass_time(draw, world)
        draw(st.sampled_from(ACTS))(draw, world)
    return session, world.events
