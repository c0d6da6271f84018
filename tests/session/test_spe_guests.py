import pytest
from session_recordings import FakeSpe, of_kind, rows, spe

from spetrace.errors import UsageError
from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions

BASE = 0xFFFF_8000_1000_0000
AREA = 4 << 20
HALF = AREA // 2
TOP = 0x8000_0000 + (1 << 30)
GUEST = ("sysreg_write", "eret", "exception", "spe_record", "buffer_full")
START = ("PMBPTR_EL1", "PMBLIMITR_EL1", "PMSCR_EL1")


def guest(data: FakeSpe, **options):
    session = assemble([spe(data)], SessionOptions(**options))
    return rows(of_kind(session.events, *GUEST), "ts", "kind", "reg", "value"), session


def brief(found):
    """Register names and kinds only."""
    return [(row[0], row[2] or row[1]) for row in found]


def test_aux_record_is_programmed_written_and_stopped() -> None:
    data = FakeSpe([(0, 50, 0, 128)], [(0, 0, 64, 10, 1), (0, 64, 64, 20, 1)])
    found, session = guest(data)
    assert found == [
        (10, "sysreg_write", "PMBPTR_EL1", BASE),
        (10, "sysreg_write", "PMBLIMITR_EL1", (BASE + HALF) | 1),
        (10, "sysreg_write", "PMSCR_EL1", 3),
        (10, "spe_record", None, None),
        (20, "spe_record", None, None),
        (50, "sysreg_write", "PMSCR_EL1", 0),
        (50, "sysreg_write", "PMBLIMITR_EL1", 0),
    ]
    assert rows(of_kind(session.events, "spe_record"), "bytes", "row") == [(64, 0), (64, 1)]


def test_aux_record_without_records_is_programmed_at_its_own_time() -> None:
    found, _ = guest(FakeSpe([(0, 50, 0, 128)], []))
    assert brief(found) == [(50, r) for r in (*START, "PMSCR_EL1", "PMBLIMITR_EL1")]


@pytest.mark.parametrize(
    ("offset", "size", "position", "limit"),
    [
        (0, 64, 0, HALF),
        (HALF - 64, 32, HALF - 64, HALF),
        (HALF, 64, HALF, AREA),
        (HALF - 64, 4096, HALF - 64, HALF + 4096),
        (5 * AREA + 4096, 64, 4096, HALF),
        (AREA - 64, 128, 0, HALF),
        (0, AREA + 1, 0, AREA + 4096),
    ],
)
def test_position_and_limit(offset: int, size: int, position: int, limit: int) -> None:
    found, _ = guest(FakeSpe([(0, 5, offset, size)], []))
    assert [row[3] for row in found[:2]] == [BASE + position, (BASE + limit) | 1]


def test_limit_rounds_up_to_the_page_size() -> None:
    data = FakeSpe([(0, 5, HALF - 64, 4096)], [])
    found, _ = guest(data, parameters={"page_size": 65536})
    assert found[1][3] == (BASE + HALF + 65536) | 1


def test_full_buffer_goes_on_at_once() -> None:
    data = FakeSpe(
        [(0, 50, 0, HALF - 2047), (0, 90, HALF, 64)],
        [(0, 0, 64, 10, 1), (0, HALF, 64, 60, 1)],
    )
    found, _ = guest(data)
    assert brief(found) == [
        *((10, r) for r in START),
        (10, "spe_record"),
        (50, "buffer_full"),
        (50, "PMBPTR_EL1"),
        (50, "PMBLIMITR_EL1"),
        (50, "PMBSR_EL1"),
        (60, "spe_record"),
        (90, "PMSCR_EL1"),
        (90, "PMBLIMITR_EL1"),
    ]
    assert [row[3] for row in found[5:8]] == [BASE + HALF, (BASE + AREA) | 1, 0]


def test_buffer_with_room_for_a_record_was_stopped() -> None:
    data = FakeSpe([(0, 50, 0, HALF - 2048), (0, 90, HALF, 64)], [])
    found, _ = guest(data)
    assert brief(found) == [
        *((50, r) for r in (*START, "PMSCR_EL1", "PMBLIMITR_EL1")),
        *((90, r) for r in (*START, "PMSCR_EL1", "PMBLIMITR_EL1")),
    ]


def test_last_aux_record_is_stopped_even_when_full() -> None:
    found, _ = guest(FakeSpe([(0, 50, 0, HALF)], []))
    assert brief(found)[3:] == [(50, "PMSCR_EL1"), (50, "PMBLIMITR_EL1")]


def test_record_belongs_to_the_aux_record_in_which_it_starts() -> None:
    data = FakeSpe(
        [(0, 50, 0, 100), (0, 90, 100, 100)],
        [(0, 0, 64, 10, 1), (0, 64, 64, 20, 1), (0, 128, 64, 60, 1)],
    )
    found, _ = guest(data)
    assert [t for t, kind in brief(found) if kind == "PMBPTR_EL1"] == [10, 60]
    assert [t for t, kind in brief(found) if kind == "spe_record"] == [10, 20, 60]


def test_records_outside_all_aux_records_are_counted_and_left_out() -> None:
    data = FakeSpe([(0, 50, 64, 64)], [(0, 0, 64, 10, 1), (0, 64, 64, 20, 1), (0, 128, 64, 30, 1)])
    _, session = guest(data)
    assert rows(of_kind(session.events, "spe_record"), "ts", "row") == [(20, 1)]
    assert dict(session.quality)[None].counts == {"spe_records_outside_aux": 2}


def test_record_in_two_aux_records_is_replayed_once() -> None:
    data = FakeSpe([(0, 50, 0, 64), (0, 60, 0, 64)], [(0, 0, 64, 10, 1)])
    found, _ = guest(data)
    assert [kind for _, kind in brief(found)].count("spe_record") == 1


@pytest.mark.parametrize(
    ("levels", "kinds"),
    [
        ([1, 1], ["spe_record", "spe_record"]),
        ([0, 0], ["eret", "spe_record", "spe_record"]),
        ([0, 1], ["eret", "spe_record", "exception", "spe_record"]),
        ([2, 0], ["spe_record", "eret", "spe_record"]),
        ([None, 0], ["spe_record", "eret", "spe_record"]),
        ([0, None, 1], ["eret", "spe_record", "spe_record", "exception", "spe_record"]),
    ],
)
def test_level_changes_come_before_their_record(levels, kinds) -> None:
    records = [(0, 64 * n, 64, 10 + n, level) for n, level in enumerate(levels)]
    found, session = guest(FakeSpe([(0, 50, 0, 4096)], records))
    assert [row[1] for row in found[3:-2]] == kinds
    assert all(row[0] == 0 for row in rows(of_kind(session.events, "eret"), "to_el"))


def test_register_writes_are_at_el1_so_the_level_is_told_anew() -> None:
    data = FakeSpe(
        [(0, 50, 0, HALF), (0, 90, HALF, 64)],
        [(0, 0, 64, 10, 0), (0, HALF, 64, 60, 0), (0, HALF + 64, 64, 61, 0)],
    )
    found, _ = guest(data)
    assert [t for t, kind in brief(found) if kind == "eret"] == [10, 60]


def test_level_of_a_record_without_pc_is_not_carried_over_register_writes() -> None:
    data = FakeSpe([(0, 50, 0, 64), (0, 90, 64, 64)], [(0, 0, 64, 10, 0), (0, 64, 64, 60, None)])
    found, _ = guest(data)
    assert [t for t, kind in brief(found) if kind in ("eret", "exception")] == [10]


def test_record_without_a_time_takes_that_of_the_one_before() -> None:
    data = FakeSpe(
        [(0, 50, 0, 4096)],
        [(0, 64 * n, 64, t, 1) for n, t in enumerate((None, 10, None, 20))],
    )
    found, _ = guest(data)
    assert [t for t, kind in brief(found) if kind == "spe_record"] == [10, 10, 10, 20]


def test_stream_without_any_time_takes_that_of_its_aux_records() -> None:
    data = FakeSpe([(0, 50, 0, 64), (0, 90, 64, 64)], [(0, 0, 64, None, 1), (0, 64, 64, None, 1)])
    found, _ = guest(data)
    assert [t for t, kind in brief(found) if kind == "spe_record"] == [50, 90]


def test_aux_record_without_a_time_takes_that_of_its_last_record() -> None:
    data = FakeSpe([(0, None, 0, 128)], [(0, 0, 64, 10, 1), (0, 64, 64, 30, 1)])
    found, _ = guest(data)
    assert brief(found)[-1] == (30, "PMBLIMITR_EL1")


@pytest.mark.parametrize(
    ("user", "kernel", "value"), [(False, False, 3), (True, False, 2), (False, True, 1)]
)
def test_pmscr_follows_the_event(user: bool, kernel: bool, value: int) -> None:
    data = FakeSpe([(0, 5, 0, 64)], [], exclude_user=user, exclude_kernel=kernel)
    assert guest(data)[0][2][3] == value


def maps(session):
    return rows(
        of_kind(session.events, "stage1_map", "stage2_map"), "ts", "vcpu", "va", "ipa", "pages"
    )


def two_streams(**fields) -> FakeSpe:
    return FakeSpe(
        [(0, 50, 0, 64), (1, 40, 0, 64)],
        [(0, 0, 64, 10, 1), (1, 0, 64, 7, 1)],
        stream_cpus=[2, 5],
        **fields,
    )


def test_buffers_are_mapped_at_the_start_top_down_by_stream() -> None:
    _, session = guest(two_streams())
    assert maps(session) == [
        (7, 2, BASE, TOP - AREA, 1024),
        (7, 2, None, TOP - AREA, 1024),
        (7, 5, BASE + (256 << 20), TOP - 2 * AREA, 1024),
        (7, 5, None, TOP - 2 * AREA, 1024),
    ]
    assert rows(of_kind(session.events, "stage2_map"), "writable") == [(True,), (True,)]


def test_buffer_that_was_not_touched_is_not_in_stage2() -> None:
    _, session = guest(two_streams(), buffer_touched=False)
    assert not len(of_kind(session.events, "stage2_map"))


@pytest.mark.parametrize(
    ("recorded", "given", "used"),
    [
        (1 << 20, None, 1 << 20),
        (1 << 20, 2 << 20, 1 << 20),
        (None, 2 << 20, 2 << 20),
        (None, None, AREA),
    ],
)
def test_area_is_as_recorded_or_given_or_perfs_default(recorded, given, used) -> None:
    _, session = guest(two_streams(aux_area_bytes=recorded), aux_bytes=given)
    assert maps(session)[0][4] * 4096 == used
    assumed = "aux-bytes" in [a.name for a in session.assumptions]
    assert assumed == ((recorded is None) == (given is None))


def test_memory_flag_and_page_size_place_the_buffer() -> None:
    flags = {"memory_bytes": 64 << 20, "page_size": 16384}
    _, session = guest(two_streams(), parameters=flags)
    assert maps(session)[0][3:] == (0x8000_0000 + (60 << 20), 256)


def test_scattered_placement_is_seeded_and_maps_each_page_once() -> None:
    def placed(seed: int):
        _, session = guest(two_streams(), placement="scattered", placement_seed=seed)
        return rows(of_kind(session.events, "stage1_map"), "va", "ipa", "pages")

    found = placed(3)
    assert found == placed(3)
    assert found != placed(4)
    assert len({ipa for _, ipa, _ in found}) == len(found) == 2048
    assert all(0x8000_0000 <= ipa < TOP and ipa % 4096 == 0 for _, ipa, _ in found)
    assert [va for va, _, _ in found[:2]] == [BASE, BASE + 4096]


def test_listed_placement_of_session_toml(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text(
        "aux_bytes = 8192\n[[vm]]\n[[vm.buffer]]\nvcpu = 5\n"
        "chunks = [{ipa = 0x9000, bytes = 4096}, {ipa = 0x3000, bytes = 4096}]\n"
    )
    _, session = guest(two_streams(), session_toml=path)
    second = BASE + (256 << 20)
    assert [m[2:] for m in maps(session) if m[1] == 5 and m[2]] == [
        (second, 0x9000, 1),
        (second + 4096, 0x3000, 1),
    ]


def test_listed_placement_must_hold_the_buffer(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text("[[vm]]\n[[vm.buffer]]\nvcpu = 5\nchunks = [{ipa = 0, bytes = 4096}]\n")
    with pytest.raises(UsageError, match="they hold 4096"):
        guest(two_streams(), session_toml=path)


def test_buffers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="below IPA 0"):
        guest(two_streams(), aux_bytes=1 << 33)
    with pytest.raises(UsageError, match="scattered"):
        guest(two_streams(), placement="scattered", parameters={"memory_bytes": 1 << 20})


def test_streams_of_session_toml_go_to_their_vcpus(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text('[[vm]]\n[[vm]]\n[[vm.stream]]\nfile = "guest.perf.data"\ncpu = 5\nvcpu = 1\n')
    _, session = guest(two_streams(), session_toml=path)
    assert rows(of_kind(session.events, "spe_record"), "ts", "vm", "vcpu") == [
        (7, 1, 1),
        (10, 0, 2),
    ]
    assert [m[2] for m in maps(session) if m[2]] == [BASE, BASE]


def test_per_thread_streams_count_as_cpus() -> None:
    data = two_streams()
    data.stream_cpus = [None, None]
    _, session = guest(data)
    assert rows(of_kind(session.events, "spe_record"), "vcpu") == [(1,), (0,)]


def test_assumed_load_beside_spe_data_is_refused() -> None:
    with pytest.raises(UsageError, match="SPE data of their own"):
        guest(two_streams(), assume_spe=AssumedSpe())


def test_a_size_that_the_recording_overrules_is_said() -> None:
    data = FakeSpe([(0, 5, 0, 64)], [], aux_area_bytes=AREA)
    _, session = guest(data, aux_bytes=2 * AREA)
    assert [
        (a.value, str(2 * AREA) in a.text) for a in session.assumptions if a.name == "aux-bytes"
    ] == [(str(AREA), True)]
    _, session = guest(data, aux_bytes=AREA)
    assert "aux-bytes" not in [a.name for a in session.assumptions]
