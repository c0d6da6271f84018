from __future__ import annotations

import polars as pl
import pytest
from session_recordings import COMMON, FakeSpe, event, host, of_kind, rows, spe, whole_session

from spetrace.errors import InputError, NothingToReplayError, UsageError
from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions
from spetrace.tables.recording import Recording, TimeConversion

RAM = 0x8000_0000
VCPU = [event("kvm_entry", 1, 10), event("kvm_exit", 2, 10)]
RECORD = """
[[event]]
event = "emulated"
kind = "spe_record"
bytes = "size"
"""


@pytest.fixture
def session(tmp_path):
    """Assembles recordings by an event map given as text."""

    def make(text: str, *recordings: Recording, **options):
        (tmp_path / "map.toml").write_text(text)
        return assemble(recordings, SessionOptions(event_map=tmp_path / "map.toml", **options))

    return make


def other(name: str, columns: dict, **recording) -> Recording:
    """A recording of one tracepoint whose fields have the types of `columns`."""
    count = len(next(iter(columns.values())))
    common = {
        "index": range(count), "time_ns": range(100, 100 + count), "cpu": [0] * count,
        "pid": [10] * count, "comm": ["kvm-vcpu-0"] * count, "tgid": [None] * count,
    }  # fmt: skip
    frame = pl.DataFrame(
        common | columns,
        schema_overrides={k: t for k, t in COMMON.items() if k not in columns},
    )
    return Recording(
        "other.dat", "trace.dat", 1, tracepoints={name: frame}, **{"clock": "local"} | recording
    )


def test_register_writes_by_a_table_of_values(session) -> None:
    text = (
        RECORD
        + """
    [[event]]
    event = "spe_sysreg"
    kind = "sysreg_write"
    reg = {field = "reg", values = {0 = "PMBLIMITR_EL1", 0x1 = "PMBPTR_EL1"}}
    value = "val"
    where = {write = 1}
    """
    )
    events = [
        *VCPU,
        event("spe_sysreg", 10, reg=1, val=1 << 63, write=1),
        event("spe_sysreg", 20, reg=0, val=5, write=0),
        event("spe_sysreg", 30, reg=0, val=6, write=1),
        event("spe_sysreg", 40, reg=9, val=7, write=1),
        event("emulated", 50, size=64),
    ]
    made = session(text, host(events))
    assert rows(made.events, "ts", "kind", "reg", "value", "bytes", "row") == [
        (10, "sysreg_write", "PMBPTR_EL1", 1 << 63, None, 0),
        (30, "sysreg_write", "PMBLIMITR_EL1", 6, None, 2),
        (50, "spe_record", None, None, 64, 0),
    ]
    quality = dict(made.quality)[None]
    assert quality.counts["mapped_events_left_out"] == 1
    assert quality.details["mapped_events_left_out"] == "1 of spe_sysreg"


def test_every_kind_becomes_its_event(session) -> None:
    kinds = {
        "eret": "to_el = 0",
        "exception": "",
        "buffer_full": "",
        "stage1_map": 'va = "a"\nipa = "i"\npages = "n"',
        "stage1_unmap": 'va = "a"\npages = 2',
        "stage2_map": 'ipa = "i"\npages = "n"\nwritable = false',
        "stage2_wrprotect": 'ipa = "i"\npages = "n"',
        "stage2_unmap": 'ipa = "i"\npages = "n"\ncause = "swap"',
    }
    text = RECORD + "".join(
        f'[[event]]\nevent = "my_{kind}"\nkind = "{kind}"\n{more}\n' for kind, more in kinds.items()
    )
    events = [event(f"my_{kind}", 10 + n, a=4096, i=RAM, n=3) for n, kind in enumerate(kinds)]
    made = session(text, host([*VCPU, *events, event("emulated", 50, size=64)]))
    assert rows(made.events, "ts", "kind", "to_el", "va", "ipa", "pages", "writable", "cause") == [
        (10, "eret", 0, None, None, None, None, None),
        (11, "exception", None, None, None, None, None, None),
        (12, "buffer_full", None, None, None, None, None, None),
        (13, "stage1_map", None, 4096, RAM, 3, None, None),
        (14, "stage1_unmap", None, 4096, None, 2, None, None),
        (15, "stage2_map", None, None, RAM, 3, False, None),
        (16, "stage2_wrprotect", None, None, RAM, 3, None, None),
        (17, "stage2_unmap", None, None, RAM, 3, None, "swap"),
        (50, "spe_record", None, None, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("column", "value", "page_size", "pages"),
    [
        ('{field = "n", unit = "bytes"}', 4096, 4096, 2),
        ('{field = "n", unit = "bytes"}', 1, 4096, 1),
        ('{field = "n", unit = "bytes"}', 4096, 16384, 1),
        ('{field = "n", factor = 512}', 2, 4096, 1024),
        ('{field = "n", values = {1 = 1, 2 = 512}}', 2, 4096, 512),
        ('{field = "n", unit = "pages"}', 7, 4096, 7),
    ],
)
def test_units_of_pages(session, column: str, value: int, page_size: int, pages: int) -> None:
    text = f'{RECORD}[[event]]\nevent = "m"\nkind = "stage2_map"\nipa = "i"\npages = {column}\n'
    events = [*VCPU, event("m", 10, i=RAM + 0x800, n=value), event("emulated", 50, size=64)]
    made = session(text, host(events), parameters={"page_size": page_size})
    assert rows(of_kind(made.events, "stage2_map"), "pages") == [(pages,)]


def test_addresses_as_page_numbers(session) -> None:
    text = (
        RECORD
        + """
    [[event]]
    event = "m"
    kind = "stage1_map"
    va = "a"
    ipa = {field = "gfn", unit = "pages"}
    pages = 1
    """
    )
    events = [*VCPU, event("m", 10, a=4096, gfn=0x80000), event("emulated", 50, size=64)]
    made = session(text, host(events), parameters={"page_size": 16384})
    assert rows(of_kind(made.events, "stage1_map"), "ipa") == [(0x80000 * 16384,)]


@pytest.mark.parametrize(
    "fields",
    [
        {"i": RAM, "n": 0},
        {"i": 1 << 63, "n": 1 << 60},
        {"i": RAM, "n": None},
        {"i": RAM, "n": 1, "c": 70_000},
    ],
    ids=["no pages", "beyond 2^64", "null", "vCPU too high"],
)
def test_what_is_no_event_is_left_out_and_counted(session, fields) -> None:
    text = (
        f'{RECORD}[[event]]\nevent = "m"\nkind = "stage2_map"\nipa = "i"\npages = "n"\nvcpu = "c"\n'
    )
    good = event("m", 11, i=RAM, n=1, c=0)
    events = [*VCPU, event("m", 10, **({"c": 0} | fields)), good, event("emulated", 50, size=64)]
    made = session(text, host(events))
    assert rows(of_kind(made.events, "stage2_map"), "ts") == [(11,)]
    assert dict(made.quality)[None].counts["mapped_events_left_out"] == 1


def test_texts_are_names_or_numbers(session) -> None:
    columns = {
        "reg": ["PMBPTR_EL1", "PMSCR_EL1", "CNTV_CTL_EL0"],
        "val": ["0xffff800010000000", "3", "-"],
    }
    text = '[[event]]\nevent = "w"\nkind = "sysreg_write"\nreg = "reg"\nvalue = "val"\n'
    made = session(RECORD + text, other("w", columns), host([*VCPU, event("emulated", 5, size=1)]))
    assert rows(of_kind(made.events, "sysreg_write"), "reg", "value") == [
        ("PMBPTR_EL1", 0xFFFF_8000_1000_0000),
        ("PMSCR_EL1", 3),
    ]


def test_signed_fields_keep_their_bits(session) -> None:
    text = '[[event]]\nevent = "w"\nkind = "sysreg_write"\nreg = "PMBPTR_EL1"\nvalue = "val"\n'
    frames = other("w", {"val": [-(1 << 47), 5]}), host([*VCPU, event("emulated", 5, size=1)])
    made = session(RECORD + text + "where = {val = [-140737488355328, 5]}\n", *frames)
    assert rows(of_kind(made.events, "sysreg_write"), "value") == [((1 << 64) - (1 << 47),), (5,)]


def test_vm_and_vcpu_are_the_threads(session) -> None:
    events = [
        event("kvm_entry", 1, 10, tgid=5, comm="CPU 0/KVM"),
        event("kvm_entry", 2, 11, tgid=5, comm="CPU 1/KVM"),
        event("kvm_entry", 3, 20, tgid=6, comm="CPU 0/KVM"),
        event("emulated", 4, 11, size=1),
        event("emulated", 5, 20, size=2),
        event("emulated", 6, 99, size=3),
        event("emulated", 7, 98, tgid=6, size=4),
    ]
    made = session(RECORD, host(events))
    assert rows(made.events, "bytes", "vm", "vcpu") == [(1, 0, 1), (2, 1, 0)]
    assert dict(made.quality)[None].counts["mapped_events_left_out"] == 2


def test_vm_is_that_of_the_process_for_what_is_no_vcpus(session) -> None:
    events = [
        event("kvm_entry", 1, 10, tgid=5),
        event("kvm_entry", 2, 20, tgid=6),
        event("m", 3, 98, tgid=6),
        event("emulated", 4, 10, size=1),
    ]
    text = f'{RECORD}[[event]]\nevent = "m"\nkind = "stage2_map"\nipa = {RAM}\npages = 1\n'
    made = session(text, host(events))
    assert rows(of_kind(made.events, "stage2_map"), "vm") == [(1,)]


def test_vm_and_vcpu_by_fields_make_machines(session) -> None:
    text = RECORD + 'vm = "vm"\nvcpu = "vcpu_id"\n'
    made = session(text, host([event("emulated", 4, size=1, vm=2, vcpu_id=3)]))
    assert rows(made.events, "vm", "vcpu") == [(2, 3)]
    assert [(m["vm"], [c["vcpu"] for c in m["vcpus"]]) for m in made.machines] == [(2, [3])]


def test_without_any_vcpu_thread_events_are_vm_0s(session) -> None:
    made = session(RECORD, host([event("emulated", 4, size=1)]))
    assert rows(made.events, "vm", "vcpu") == [(0, 0)]


def test_too_many_vcpus_are_refused(session) -> None:
    events = [event("emulated", n, size=1, vcpu_id=n) for n in range(4097)]
    with pytest.raises(InputError, match="more than 4096 vCPUs"):
        session(RECORD + 'vcpu = "vcpu_id"\n', host(events))


def test_host_events_stay_in_recorded_order(session) -> None:
    text = f'{RECORD}[[event]]\nevent = "m"\nkind = "stage2_map"\nipa = "ipa"\npages = 1\nwritable = 0\n'
    events = [
        event("kvm_entry", 5, 10),
        event("m", 5, ipa=RAM),
        event("s2_map", 5, pgt=1, ipa=RAM + 4096, size=4096),
        event("m", 5, ipa=RAM + 8192),
        event("emulated", 5, size=1),
    ]
    made = session(text, host(events))
    assert [r[0] for r in rows(made.events, "ipa")] == [RAM, RAM + 4096, RAM + 8192, None]


def test_events_of_two_host_files_are_in_order_of_time(session) -> None:
    one = host([event("kvm_entry", 1, 10), event("emulated", 30, size=1)], "a.dat")
    made = session(RECORD, one, host([event("emulated", 20, size=2)], "b.dat"))
    assert rows(made.events, "ts", "bytes") == [(20, 2), (30, 1)]


PROBES = """
[[event]]
event = "table_map"
kind = "s2_map"
pgt = "table"
ipa = {field = "gfn", unit = "pages"}
size = {field = "order", values = {0 = 4096, 9 = 0x200000}}
prot = "perm"
[[event]]
event = "slot"
kind = "memslot"
slot = "id"
gpa = "ipa"
size = "bytes"
hva = "user"
"""


def test_probes_of_other_names_are_the_probes(session) -> None:
    events = [
        *VCPU,
        event("slot", 3, id=0, ipa=RAM, bytes=1 << 27, user=1 << 40),
        event("table_map", 4, table=7, gfn=RAM >> 12, order=9, perm=2),
        event("s2_map", 5, pgt=7, ipa=RAM, size=4096, prot=0),
        event("table_map", 6, table=7, gfn=RAM >> 12, order=0, perm=0),
        event("emulated", 50, size=1),
    ]
    made = session(RECORD + PROBES, host(events))
    assert rows(of_kind(made.events, "stage2_map"), "ts", "ipa", "pages", "writable") == [
        (4, RAM, 512, True),
        (5, RAM, 1, False),
        (6, RAM, 1, False),
    ]
    assert made.machines[0]["ram"] == {"ipa": RAM, "bytes": 1 << 27}


def test_probes_of_other_names_with_an_assumed_load(session) -> None:
    events = [*VCPU, event("slot", 3, id=0, ipa=RAM, bytes=1 << 27, user=1 << 40)]
    events += [event("table_map", 4, table=7, gfn=RAM >> 12, order=0, perm=2)]
    made = session(PROBES, host(events), assume_spe=AssumedSpe(), buffer_touched=False)
    assert rows(of_kind(made.events, "stage2_map"), "ts") == [(4,)]


GUEST_MAP = """
[[event]]
event = "pgtable_map"
recorded = "guest"
kind = "stage1_map"
va = "va"
ipa = "pa"
pages = 1
"""


def guest(*times: int, cpu: int = 0, **recording) -> Recording:
    events = [event("pgtable_map", t, 77, cpu=cpu, va=4096, pa=RAM) for t in times]
    return host(events, "guest.dat", **recording)


def mapped_times(made) -> list[int]:
    return [t for t, va in rows(of_kind(made.events, "stage1_map"), "ts", "va") if va == 4096]


def test_guest_events_are_on_the_guests_clock(session) -> None:
    text = RECORD + GUEST_MAP
    events = host([*VCPU, event("emulated", 50, size=1)])
    made = session(text, events, guest(1000, 1010), clock_offset_ns=-980)
    assert mapped_times(made) == [20, 30]
    made = session(text, events, guest(1000, 1010))
    assert mapped_times(made) == [1, 11]
    assert ("clock-offset", "-999") in [(a.name, a.value) for a in made.assumptions]


def test_guest_events_are_aligned_as_its_spe_data(session) -> None:
    data = FakeSpe([(0, 1_100, 0, 64)], [(0, 0, 64, 1_010, 1)])
    made = session(GUEST_MAP, host(VCPU), spe(data), guest(1_000))
    assert mapped_times(made) == [1_000 - 1_009]


def test_guest_events_in_ticks_are_perfs_time(session) -> None:
    data = FakeSpe(
        [(0, 1_100, 0, 64)], [(0, 0, 64, 1_010, 1)],
        time_conversion=TimeConversion(10, 16 << 10, 210),
    )  # fmt: skip
    ticks = guest(50, clock="counter", clock_is_ns=False)
    assert mapped_times(session(GUEST_MAP, spe(data), ticks)) == [210 + 50 * 16]


def test_guest_events_by_the_arch_counter(session, tmp_path) -> None:
    (tmp_path / "session.toml").write_text("counter_hz = 62_500_000\ncntvoff = 3\n")
    counting = {"clock": "counter", "clock_is_ns": False}
    events = host([*VCPU, event("emulated", 50, size=1)], **counting)
    made = session(
        RECORD + GUEST_MAP, events, guest(10, **counting), session_toml=tmp_path / "session.toml"
    )
    assert mapped_times(made) == [13 * 16]


def test_guest_events_are_of_the_cpu_they_are_on(session) -> None:
    text = RECORD + GUEST_MAP.replace('"stage1_map"', '"exception"').split("va")[0]
    made = session(text, host([*VCPU, event("emulated", 50, size=1)]), guest(7, cpu=3))
    assert rows(of_kind(made.events, "exception"), "vcpu") == [(3,)]


REGISTER = '[[event]]\nevent = "w"\nkind = "sysreg_write"\nreg = "PMSCR_EL1"\nvalue = "v"\n'


def test_recorded_registers_take_the_place_of_those_of_spe_data(session) -> None:
    data = FakeSpe(
        [(0, 60, 0, 64), (1, 60, 0, 64)], [(0, 0, 64, 50, 1), (1, 0, 64, 50, 1)],
        stream_cpus=[0, 1],
    )  # fmt: skip
    made = session(REGISTER, spe(data), host([*VCPU, event("w", 40, v=3)]), clock_offset_ns=0)
    found = rows(of_kind(made.events, "sysreg_write"), "vcpu", "ts", "reg")
    assert [f for f in found if f[0] == 0] == [(0, 40, "PMSCR_EL1")]
    assert len([f for f in found if f[0] == 1]) == 5
    assert len(of_kind(made.events, "spe_record")) == 2
    assert "event-map" in [a.name for a in made.assumptions]


def test_registers_alone_are_nothing_to_replay(session) -> None:
    with pytest.raises(NothingToReplayError):
        session(REGISTER, host([*VCPU, event("w", 40, v=3)]))


def test_records_and_an_assumed_load_exclude_each_other(session) -> None:
    with pytest.raises(UsageError, match="--assume-spe"):
        session(RECORD, host([*VCPU, event("emulated", 9, size=1)]), assume_spe=AssumedSpe())


def test_unknown_event_names_what_is_held(session) -> None:
    with pytest.raises(
        InputError,
        match=r"map\.toml: event map: event\[0\]\.event: no input holds 'emulated'; "
        r"they hold kvm_entry, kvm_exit$",
    ):
        session(RECORD, host(VCPU))


def test_unknown_field_names_what_the_event_has(session) -> None:
    with pytest.raises(
        InputError,
        match=r"event\[0\]\.bytes: emulated in host\.dat has no field 'size'; "
        r"it has time_ns, cpu, pid, comm, tgid, length$",
    ):
        session(RECORD, host([*VCPU, event("emulated", 9, length=1)]))


def test_unknown_field_of_where_is_an_error(session) -> None:
    with pytest.raises(InputError, match=r"event\[0\]\.where: .* no field 'kind'"):
        session(RECORD + "where = {kind = 1}", host([*VCPU, event("emulated", 9, size=1)]))


@pytest.mark.parametrize(
    ("columns", "text", "cause"),
    [
        ({"size": [1.5]}, RECORD, r"event\[0\].bytes: field size holds Float64, no numbers"),
        ({"size": [1]}, RECORD + "where = {size = 'x'}", "field size holds Int64, no text"),
        (
            {"v": [1]},
            REGISTER.replace('"PMSCR_EL1"', '"v"'),
            "field v holds numbers, and 'PMBPTR_EL1' is none",
        ),
    ],
)
def test_field_of_the_wrong_type_is_an_error(session, columns, text: str, cause: str) -> None:
    name = "w" if text.startswith(REGISTER[:20]) and "v" in columns else "emulated"
    with pytest.raises(InputError, match=rf"map\.toml: event map: .*{cause}"):
        session(text, other(name, columns), host(VCPU))


def test_tables_show_mapped_probes_too(tmp_path) -> None:
    (tmp_path / "map.toml").write_text(PROBES)
    events = [*VCPU, event("slot", 3, id=0, ipa=RAM, bytes=4096, user=4096)]
    events += [event("table_map", 4, table=7, gfn=1, order=0, perm=2)]
    made = whole_session([host(events)], SessionOptions(event_map=tmp_path / "map.toml"))
    assert {"slot", "memslot", "table_map", "s2_map"} <= set(made.tracepoints)
