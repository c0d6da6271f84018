import pytest
from kvm.kvm_tables import access, exit_, fault, refault, state, summary

from spetrace.kvm.faults import BINS_MAX, bin_length
from spetrace.tables.kvm_summary import (
    ExitClass,
    FaultClass,
    RefaultedPage,
    RegisterUse,
    Times,
    VcpuTime,
)


def only_vm(**rows):
    (vm,) = summary(**rows).vms
    return vm


def test_exits_are_counted_by_class_with_percentiles() -> None:
    exits = [exit_(0, 0, 1000 * n, 1000 * n + n, "DABT_LOW") for n in range(1, 101)]
    exits += [exit_(0, 0, 200_000, None, "SYS64"), exit_(0, 0, 300_000, 300_007, None, ret=0)]
    assert only_vm(kvm_exits=exits).exits == (
        ExitClass("DABT_LOW", 100, Times(100, 5050, 50, 90, 99, 100)),
        ExitClass("IRQ", 1, Times(1, 7, 7, 7, 7, 7)),
        ExitClass("SYS64", 1, Times()),
    )


@pytest.mark.parametrize(
    ("ret", "name"),
    [(0, "IRQ"), (1, "EL1_SERROR"), (3, "IL"), (0xBADCA11, "HYP_GONE"), (9, "unknown")],
)
def test_exits_that_are_no_traps_have_names(ret: int, name: str) -> None:
    assert only_vm(kvm_exits=[exit_(0, 0, 1, 2, None, ret)]).exits[0].name == name


def test_time_goes_to_guest_host_and_unknown() -> None:
    exits = [
        exit_(0, 0, 100, 130, "DABT_LOW"), exit_(0, 1, 150, 160, "DABT_LOW"),
        exit_(0, 0, 200, None, "DABT_LOW"), exit_(0, 0, 270, 275, "DABT_LOW"),
        exit_(0, 0, 300, None, "DABT_LOW"),
    ]  # fmt: skip
    assert only_vm(kvm_exits=exits).vcpus == (
        VcpuTime(0, 4, 1, guest_ns=70 + 25, host_ns=30 + 5, unknown_ns=70),
        VcpuTime(1, 1, 0, guest_ns=0, host_ns=10, unknown_ns=0),
    )


def test_faults_are_told_apart_by_outcome_status_and_access() -> None:
    faults = [
        fault(1), fault(2, 20), fault(3, mmio=True, is_emulated=True), fault(4, mmio=True),
        fault(5, is_write=False), fault(6, is_fetch=True), fault(7, on_stage1_walk=True),
        fault(8, is_cache_maintenance=True), fault(9, kind="other", level=None),
    ]  # fmt: skip
    found = only_vm(stage2_faults=faults).faults
    assert found[0] == FaultClass(
        "served", "translation, level 3", "write", 2, Times(2, 30, 10, 20, 20, 20)
    )
    assert {(f.outcome, f.kind, f.access) for f in found[1:]} == {
        ("emulated", "translation, level 3", "write"),
        ("taken again", "translation, level 3", "write"),
        ("served", "translation, level 3", "read"),
        ("served", "translation, level 3", "fetch"),
        ("served", "translation, level 3", "stage-1 walk"),
        ("served", "translation, level 3", "cache maintenance"),
        ("served", "other", "write"),
    }


def test_fault_rate_counts_each_fault_in_its_bin() -> None:
    second = 10**9
    faults = [fault(0), fault(2 * second, is_emulated=True), fault(2 * second), fault(10 * second)]
    rate = only_vm(stage2_faults=faults).fault_rate
    assert rate.bin_ns == second // 20
    assert (sum(rate.faults), sum(rate.emulated)) == (3, 1)
    assert rate.faults[40] == rate.emulated[40] == 1
    assert rate.per_second == 0.3


@pytest.mark.parametrize("span", [0, 1, 239, 240, 10**9 + 1, 1 << 62])
def test_bins_are_few(span: int) -> None:
    for offset in (0, 1, bin_length(span) - 1):
        bins = (span + offset) // bin_length(span) + 1
        assert 1 <= bins <= BINS_MAX


def test_refaults_by_time_access_and_page() -> None:
    rows = [
        refault(0x2000, 10**5 - 1), refault(0x1000, 10**5), refault(0x1000, 10**12, is_fetch=True),
        refault(0x3000, 7, mapped_ns=None, is_write=False),
    ]  # fmt: skip
    found = only_vm(refaults=rows, vm_state=[state(0, 0, 0)]).refaults
    assert (found.total, found.pages, found.mapped_before) == (4, 3, 1)
    assert found.histogram == (2, 1, 0, 0, 0, 0, 0, 1)
    assert [(c.access, c.refaults) for c in found.classes] == [
        ("write", 2),
        ("fetch", 1),
        ("read", 1),
    ]
    assert found.top_pages[0] == RefaultedPage(0x1000, 2, 10**5)
    assert [page.ipa for page in found.top_pages] == [0x1000, 0x2000, 0x3000]


def test_state_is_averaged_over_time() -> None:
    rows = [state(0, 10, 10), state(100, 30, 20), state(300, 0, 0)]
    found = only_vm(vm_state=rows, kvm_exits=[exit_(0, 0, 0, 400, "WFx")]).state
    assert (found.start_pages, found.peak_pages, found.peak_ns, found.end_pages) == (10, 30, 100, 0)
    assert (found.mean_pages, found.mean_writable_pages) == (17.5, 12.5)


def test_state_of_no_length_has_a_mean() -> None:
    assert only_vm(vm_state=[state(5, 8, 4)]).state.mean_pages == 8


def test_registers_are_counted_by_vcpu() -> None:
    rows = [access(3, "PMSCR_EL1", True), access(5, "PMSCR_EL1", True), access(4, "PMSCR_EL1", False),
            access(1, "PMBPTR_EL1", True, vcpu=1)]  # fmt: skip
    assert only_vm(spe_register_accesses=rows).registers == (
        RegisterUse(0, "PMSCR_EL1", 1, 2, 3, 5),
        RegisterUse(1, "PMBPTR_EL1", 0, 1, 1, 1),
    )


def test_vms_are_apart_and_missing_tables_are_nothing() -> None:
    found = summary(kvm_exits=[exit_(1, 0, 5, 6, "WFx"), exit_(0, 0, 7, 9, "WFx")])
    assert [(vm.vm, vm.exits[0].handled.total_ns) for vm in found.vms] == [(0, 2), (1, 1)]
    assert found.span_ns == (5, 9)
    assert all(vm.state is vm.refaults is vm.fault_rate is None for vm in found.vms)
    assert summary().vms == ()
