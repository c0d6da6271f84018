"""Acts of the guest and the host that change mappings."""

from hypothesis import strategies as st

from random_logs.world import IPA_PAGES, VA_PAGES, mostly, someone, tables
from spetrace.tables.events import CAUSES

FORCED = ("munmap", "memslot") * 2


def boot(draw, world, who):
    """What a VM does first: its buffers' pages are mapped at stage 1, and mostly touched."""
    if draw(mostly(True, st.booleans())):
        world.first_ipa_page = draw(st.integers(0, 3))
        ipa = world.ipa(world.first_ipa_page)
        place = {"va": world.va(0), "ipa": ipa, "pages": VA_PAGES}
        world.add(who, "stage1_map", **place, tables=draw(tables(world)))
    if draw(st.booleans()):
        world.add(
            who,
            "stage2_map",
            ipa=world.ipa(0),
            pages=draw(mostly(IPA_PAGES + 3, st.integers(0, 9))),
        )


def _span(draw, pages, live):
    """(first page, pages): mostly few of them, and about the live buffer."""
    first = draw(mostly(live, st.integers(0, pages - 1))) + draw(st.sampled_from([0, 0, 1, 2]))
    return first, draw(mostly(1, st.integers(0, 4), st.integers(0, pages)))


def stage1_map(draw, world):
    first, pages = _span(draw, VA_PAGES, world.live_page)
    place = {"va": world.va(first), "ipa": world.ipa(draw(st.integers(0, IPA_PAGES)))}
    fields = place | {"pages": pages, "tables": draw(tables(world))}
    world.add(someone(draw, world), "stage1_map", **fields)


def stage1_again(draw, world):
    """An earlier mapping once more, or back again."""
    earlier = [event for event in world.events if event["kind"] == "stage1_map"]
    if earlier:
        world.events.append(draw(st.sampled_from(earlier)) | {"ts": world.now})


def stage1_unmap(draw, world):
    first, pages = _span(draw, VA_PAGES, world.live_page)
    world.add(someone(draw, world), "stage1_unmap", va=world.va(first), pages=pages)


def forget(draw, world):
    """The guest unmaps the live buffer from some page on, wherever its records have got to."""
    first = world.live_page + draw(st.integers(0, 1))
    world.add(world.busy, "stage1_unmap", va=world.va(first), pages=VA_PAGES)


def stage1_unmap_and_refit(draw, world):
    """The live buffer loses a page, then gets another LIMIT: KVM looks at its translations."""
    first = world.live_page + draw(st.integers(0, 1))
    world.add(world.busy, "stage1_unmap", va=world.va(first), pages=draw(st.integers(1, 2)))
    world.write(world.busy, "PMBLIMITR_EL1", world.va(first + draw(st.integers(1, 6))) | 1)


def _stage2(draw, world, kind, **fields):
    first, pages = _span(draw, IPA_PAGES + 3, world.first_ipa_page + world.live_page)
    offset = draw(mostly(0, st.just(17)))
    place = {"ipa": world.ipa(first) + offset, "pages": pages}
    world.add(someone(draw, world), kind, **place, **fields)


def stage2_map(draw, world):
    _stage2(draw, world, "stage2_map", writable=draw(st.sampled_from([True, True, False])))


def stage2_wrprotect(draw, world):
    _stage2(draw, world, "stage2_wrprotect")


def stage2_unmap(draw, world):
    _stage2(draw, world, "stage2_unmap", cause=draw(st.sampled_from(CAUSES + FORCED)))


def reclaim(draw, world):
    """The host takes the live buffer's pages, wherever its records have got to."""
    ipa = world.ipa(world.first_ipa_page + world.live_page)
    cause = draw(st.sampled_from(CAUSES + FORCED))
    world.add(world.busy, "stage2_unmap", ipa=ipa, pages=VA_PAGES, cause=cause)
