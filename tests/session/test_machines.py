import pytest
from session_recordings import event, host

from spetrace.errors import InputError
from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions

LOAD = SessionOptions(assume_spe=AssumedSpe())


def threads(*described):
    """kvm_entry events of threads (pid, comm, tgid), in that order."""
    return [
        event("kvm_entry", 10 * n, pid=pid, comm=comm, tgid=tgid)
        for n, (pid, comm, tgid) in enumerate(described)
    ]


def machines(*described, options: SessionOptions = LOAD):
    session = assemble([host(threads(*described))], options)
    return [[(c["vcpu"], c["pid"]) for c in vm["vcpus"]] for vm in session.machines]


def test_vms_are_the_recorded_processes_by_first_entry() -> None:
    found = machines(
        (31, "kvm-vcpu-0", 30),
        (21, "kvm-vcpu-0", 20),
        (22, "kvm-vcpu-1", 20),
        (32, "kvm-vcpu-1", 30),
    )
    assert found == [[(0, 31), (1, 32)], [(0, 21), (1, 22)]]


def test_vms_by_names_kth_thread_of_a_name_is_of_the_kth_vm() -> None:
    found = machines(
        (1, "kvm-vcpu-0", None), (2, "kvm-vcpu-0", None), (3, "kvm-vcpu-1", None),
        (4, "kvm-vcpu-1", None),
    )  # fmt: skip
    assert found == [[(0, 1), (1, 3)], [(0, 2), (1, 4)]]


def test_vms_by_names_other_pattern_is_another_vm() -> None:
    assert machines((1, "kvm-vcpu-0", None), (2, "CPU 0/KVM", None)) == [[(0, 1)], [(0, 2)]]


def test_vms_without_names_are_one() -> None:
    assert machines((7, None, None), (5, "<...>", None)) == [[(0, 7), (1, 5)]]


def test_thread_without_process_joins_its_names_process() -> None:
    assert machines((1, "kvm-vcpu-0", 9), (2, "kvm-vcpu-1", None)) == [[(0, 1), (1, 2)]]


def test_vcpu_numbers_come_from_names() -> None:
    assert machines((1, "CPU 3/KVM", 9), (2, "CPU 1/KVM", 9)) == [[(1, 2), (3, 1)]]


def test_vcpu_numbers_fall_back_to_first_appearance() -> None:
    assert machines((5, "qemu", 9), (4, "qemu", 9)) == [[(0, 5), (1, 4)]]


GUESTS = [
    {"name": "a", "trace_id": "0x1", "vcpu_tids": {"0": 12, "1": 11}},
    {"name": "b", "trace_id": "0x2", "vcpu_tids": {"5": 13, "70000": 14}},
]


def machines_of_guests(*described):
    recording = host(threads(*described), properties={"guests": GUESTS})
    session = assemble([recording], LOAD)
    return [[(c["vcpu"], c["pid"]) for c in vm["vcpus"]] for vm in session.machines], session


def test_guests_of_the_recorder_go_before_names() -> None:
    found, session = machines_of_guests(
        (11, "CPU 0/KVM", None), (13, "CPU 0/KVM", None), (12, "CPU 1/KVM", None), (14, "x", None)
    )
    assert found == [[(0, 12), (1, 11)], [(0, 14), (5, 13)]]
    assert "vm.vcpus" not in [a.name for a in session.assumptions]


def test_recorded_process_goes_before_guests_but_not_their_numbers() -> None:
    found, session = machines_of_guests((11, "CPU 0/KVM", 9), (13, "CPU 7/KVM", 9))
    assert found == [[(1, 11), (5, 13)]]
    assert session.machines[0]["pid"] == 9


def test_thread_of_no_recorded_guest_is_told_by_its_name() -> None:
    found, _session = machines_of_guests((11, "CPU 0/KVM", None), (50, "kvm-vcpu-3", None))
    assert found == [[(1, 11)], [(3, 50)]]


def test_vcpu_number_taken_twice_goes_to_the_first() -> None:
    assert machines((5, "vcpu1", 9), (4, "vcpu1", 9), (3, "vcpu0", 9)) == [[(0, 3), (1, 5), (2, 4)]]


def test_session_toml_names_processes_that_were_not_recorded(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text("[[vm]]\nvcpus = [1, 4]\n[[vm]]\nvcpus = [2, 3]\npid = 77\n")
    options = SessionOptions(assume_spe=AssumedSpe(), session_toml=path)
    described = [(n, f"kvm-vcpu-{n % 2}", None) for n in (1, 2, 3, 4)]
    session = assemble([host(threads(*described))], options)
    assert [[c["pid"] for c in vm["vcpus"]] for vm in session.machines] == [[4, 1], [2, 3]]
    assert session.machines[1]["pid"] == 77


def test_session_toml_for_a_thread_that_is_no_vcpu_is_an_error(tmp_path) -> None:
    path = tmp_path / "session.toml"
    path.write_text("[[vm]]\nvcpus = [99]\n")
    options = SessionOptions(assume_spe=AssumedSpe(), session_toml=path)
    with pytest.raises(InputError, match=r"vm\[0\]: no vCPU thread"):
        machines((1, "kvm-vcpu-0", None), options=options)


def test_grouping_by_names_is_an_assumption() -> None:
    session = assemble([host(threads((1, "kvm-vcpu-0", None)))], LOAD)
    assert ("vm.vcpus", "names") in [(a.name, a.value) for a in session.assumptions]
    session = assemble([host(threads((1, "kvm-vcpu-0", 3)))], LOAD)
    assert "vm.vcpus" not in [a.name for a in session.assumptions]
