import pytest
from session_recordings import event, host, of_kind, rows

from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions

MIB = 1 << 20
GIB = 1 << 30
RAM = 0x8000_0000
HVA = 0x7F00_0000_0000


def slot(number: int, gpa: int, size: int, **fields):
    return event(
        "memslot",
        0,
        **(
            {"pid": 9, "slot": number, "flags": 0, "gpa": gpa, "size": size, "hva": HVA + gpa}
            | fields
        ),
    )


def vm_events(pid: int, pgt: int, *pages: int, **fields):
    maps = [event("s2_map", 2, pid, pgt=pgt, ipa=ipa, size=4096, prot=6, **fields) for ipa in pages]
    return [event("kvm_entry", 1, pid, **fields), *maps]


def assembled(events, toml: str | None = None, tmp_path=None, **options):
    if toml is not None:
        path = tmp_path / "session.toml"
        path.write_text(toml)
        options["session_toml"] = path
    return assemble([host(events)], SessionOptions(assume_spe=AssumedSpe(), **options))


def ram(session, vm: int = 0):
    return session.machines[vm]["ram"]


def test_ram_is_the_largest_writable_memslot() -> None:
    slots = [
        slot(0, 0, 64 * MIB, flags=2), slot(1, RAM, 32 * MIB), slot(2, GIB, 16 * MIB),
    ]  # fmt: skip
    session = assembled(slots + vm_events(10, 1))
    assert ram(session) == {"ipa": RAM, "bytes": 32 * MIB}
    assert session.parameters["vms"]["0"]["memory_bytes"] == 32 * MIB


def test_ram_of_session_toml_holds_where_no_memslot_is_known(tmp_path) -> None:
    toml = "[[vm]]\nram = {ipa = 0x40000000, bytes = 0x2000000}\n"
    session = assembled(vm_events(10, 1), toml, tmp_path)
    assert ram(session) == {"ipa": GIB, "bytes": 32 * MIB}
    session = assembled([slot(0, RAM, MIB * 4), *vm_events(10, 1)], toml, tmp_path)
    assert ram(session) == {"ipa": RAM, "bytes": 4 * MIB}


def test_ram_lies_in_the_gib_where_most_pages_are_mapped() -> None:
    session = assembled(vm_events(10, 1, GIB, 3 * GIB + 4096, 3 * GIB + 8192))
    assert ram(session) == {"ipa": 3 * GIB, "bytes": GIB}
    assert "vms" in session.parameters
    assert "memory_bytes" not in session.parameters["vms"]["0"]
    assert "vm.ram" in [a.name for a in session.assumptions]


def test_memory_flag_wins_over_the_memslot() -> None:
    session = assembled(
        [slot(0, RAM, 64 * MIB), *vm_events(10, 1)], parameters={"memory_bytes": 32 * MIB}
    )
    assert ram(session) == {"ipa": RAM, "bytes": 32 * MIB}
    assert "memory_bytes" not in session.parameters["vms"]["0"]
    maps = rows(of_kind(session.events, "stage1_map"), "ipa")
    assert maps == [(RAM + 31 * MIB,)]


def two_vms(**fields):
    return vm_events(10, 1, RAM, comm="kvm-vcpu-0", **fields) + vm_events(
        20, 2, 5 * GIB, comm="CPU 0/KVM", **fields
    )


def test_memslot_belongs_to_its_process() -> None:
    events = [slot(0, RAM, MIB, pid=77, tgid=6)]
    events += vm_events(10, 1, tgid=5) + vm_events(20, 2, tgid=6)
    session = assembled(events)
    assert [len(vm["memslots"]) for vm in session.machines] == [0, 1]


def test_memslots_of_a_thread_belong_to_the_vm_that_maps_within_them() -> None:
    slots = [slot(0, 5 * GIB, MIB, pid=8), slot(0, RAM, MIB, pid=7), slot(1, 0, MIB, pid=7)]
    session = assembled(slots + two_vms())
    assert [[s["ipa"] for s in vm["memslots"]] for vm in session.machines] == [[RAM, 0], [5 * GIB]]


def test_memslots_that_fit_two_vms_are_nobodys() -> None:
    session = assembled([slot(0, 0, 16 * GIB), *two_vms()])
    assert [vm["memslots"] for vm in session.machines] == [[], []]
    assert dict(session.quality)[None].counts["unplaced_memslots"] == 1


def test_memslots_of_session_toml_take_the_place_of_the_probes(tmp_path) -> None:
    toml = f"[[vm]]\n[[vm.memslot]]\nhva = 0x1000\nipa = {GIB}\nbytes = 8192\n"
    session = assembled([slot(0, RAM, MIB), *vm_events(10, 1)], toml, tmp_path)
    assert [s["ipa"] for s in session.machines[0]["memslots"]] == [GIB]


@pytest.mark.parametrize(
    "fields",
    [
        {"slot": 40000},
        {"size": 1 << 60},
        {"gpa": 2**64 - 4096},
        {"hva": 2**64 - 4096},
        {"hva": None},
    ],
)
def test_memslot_that_kvm_refuses_is_left_out(fields) -> None:
    session = assembled([slot(0, RAM, MIB) | fields, *vm_events(10, 1)])
    assert session.machines[0]["memslots"] == []


def test_vmm_maps_gives_the_memslot_of_vm_0(tmp_path) -> None:
    maps = tmp_path / "maps"
    maps.write_text("7f0000000000-7f0000400000 rw-p 00000000 00:00 0\n")
    session = assembled([*vm_events(10, 1)], vmm_maps=maps, ram_base=RAM, ram_bytes=4 * MIB)
    (found,) = session.machines[0]["memslots"]
    assert (found["hva"], found["ipa"], found["bytes"]) == (HVA, RAM, 4 * MIB)
    assert "vmm-maps" in [a.name for a in session.assumptions]
