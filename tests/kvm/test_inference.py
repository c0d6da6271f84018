from kvm.kvm_tables import refault, state, table

from spetrace.kvm.inference import ToldStage2, check_inference
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE


def told(name: str, states, refaults=(), counters=None) -> ToldStage2:
    return ToldStage2(
        name, table(VM_STATE, states), table(REFAULTS, list(refaults)), counters or {}
    )


def test_differences_are_means_over_time_and_maxima() -> None:
    probes = told("probes", [state(0, 0, 0), state(100, 10, 4)], [refault(1, 1)])
    traced = told(
        "tracepoints", [state(0, 0, 0), state(150, 16, 16)], counters={0: {"s": {"n": 1}}}
    )
    (check,) = check_inference([probes, traced], 200)
    first, second = check.ways
    assert (check.vm, first.mapped_difference_mean, first.mapped_difference_max) == (0, 0, 0)
    assert (second.mapped_difference_mean, second.mapped_difference_max) == (4.0, 10)
    assert (second.writable_difference_mean, second.writable_difference_max) == (4.0, 12)
    assert (first.refaults, second.refaults) == (1, 0)
    assert (first.counters, second.counters) == ({}, {"s": {"n": 1}})


def test_vm_without_probes_is_left_out() -> None:
    traced = told("tracepoints", [state(0, 1, 1), state(0, 1, 1, vm=1)])
    assert [c.vm for c in check_inference([told("probes", [state(0, 1, 1, vm=1)]), traced], 9)] == [
        1
    ]


def test_way_that_says_nothing_of_a_vm_is_left_out() -> None:
    (check,) = check_inference([told("probes", [state(0, 1, 1)]), told("tracepoints", [])], 9)
    assert [way.name for way in check.ways] == ["probes"]
