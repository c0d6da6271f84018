from __future__ import annotations

import numpy as np
from profile_samples import frame, mapping, thread

from spetrace.profile.address_spaces import KERNEL, UNKNOWN, AddressSpaces
from spetrace.profile.shared_mappings import find_shared
from spetrace.profile.timed_lookup import END
from spetrace.tables.mappings import MAPPINGS
from spetrace.tables.threads import THREADS


def spaces(mappings: list[dict], threads: list[dict], sources: int = 1) -> AddressSpaces:
    return AddressSpaces(frame(MAPPINGS, mappings), frame(THREADS, threads), sources)


def find(known: AddressSpaces, tid: int, address: int, time: int = END, source: int = 0) -> int:
    space = known.of_threads(np.array([source]), np.array([tid]), np.array([time]))
    epoch = known.epochs(space, np.array([time]))
    return int(known.find(epoch, np.array([address], np.uint64))[0])


def test_an_address_is_in_the_newest_mapping_of_its_process() -> None:
    rows = [
        mapping(0x1000, 0x1000, "old"),
        mapping(0x1000, 0x800, "new", time_ns=500),
        mapping(0x1000, 0x1000, "other", pid=20, tid=20),
    ]
    known = spaces(rows, [thread(10, 10), thread(11, 10), thread(20, 20)])
    assert find(known, 10, 0x1000, 499) == 0
    assert find(known, 11, 0x17FF, 500) == 1
    assert find(known, 11, 0x1800, 500) == 0
    assert find(known, 20, 0x1000) == 2
    assert find(known, 10, 0x2000) == -1
    assert find(known, 99, 0x1000) == -1


def test_a_thread_number_can_be_used_twice() -> None:
    rows = [mapping(0, 64, "a"), mapping(0, 64, "b", pid=20, tid=20)]
    known = spaces(rows, [thread(15, 10, time_ns=100), thread(15, 20, time_ns=200)])
    assert [find(known, 15, 8, time) for time in (99, 100, 200)] == [-1, 0, 1]


def test_inputs_have_spaces_of_their_own() -> None:
    rows = [mapping(0, 64, "a"), mapping(0, 64, "b", source=1)]
    known = spaces(rows, [], sources=3)
    assert [find(known, 10, 8, source=n) for n in range(3)] == [0, 1, -1]


def test_kernel_mappings_belong_to_no_thread() -> None:
    rows = [mapping(1 << 63, 64, "[kernel.kallsyms]_text", pid=None, tid=None)]
    known = spaces(rows, [])
    kernel = known.kernel(np.array([0]))
    epoch = known.epochs(kernel, np.array([0]))
    assert known.pids[kernel].tolist() == [KERNEL]
    assert known.find(epoch, np.array([(1 << 63) + 5], np.uint64)).tolist() == [0]
    unknown = known.of_threads(np.array([0]), np.array([UNKNOWN]), np.array([0]))
    assert known.pids[unknown].tolist() == [UNKNOWN]


def test_a_mapping_to_the_end_of_memory_does_not_wrap() -> None:
    known = spaces([mapping((1 << 64) - 16, 1 << 40, "top")], [])
    assert find(known, 10, (1 << 64) - 10) == 0
    assert find(known, 10, 100) == -1


def test_shared_is_what_all_processes_have_there() -> None:
    rows = [
        mapping(0x1000, 0x1000, "lib"),
        mapping(0x1000, 0x1000, "lib", pid=20, tid=20),
        mapping(0x1800, 0x1000, "else", pid=30, tid=30),
        mapping(0x9000, 0x1000, "moved", file_offset=0x1000),
        mapping(0x9000, 0x1000, "moved", pid=20, tid=20),
        mapping(0x5000, 0x1000, "[kernel]", pid=None),
    ]
    asked = np.array([0x1000, 0x1900, 0x2100, 0x9000, 0x5000, 0], np.uint64)
    found = find_shared(frame(MAPPINGS, rows), np.zeros(6, np.int64), asked)
    assert found.tolist() == [0, -1, 2, -1, -1, -1]
