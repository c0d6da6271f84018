from __future__ import annotations

from fractions import Fraction

import pytest
from runs import counters, full_run, run_of, small_run

from spetrace.report.comparison import VM_TABLES, compare
from spetrace.report.figures import GROUPS, LOST
from spetrace.tables.results import COUNTERS
from spetrace.tables.run import Run

NOT_COLUMNS = {"records", "pinned_byte_ns"}


def test_every_counter_has_a_column() -> None:
    shown = {figure.counter for group in GROUPS for figure in group.figures}
    assert set(COUNTERS) - shown == NOT_COLUMNS


def test_cells_hold_the_results_counters() -> None:
    run = small_run()
    results = {r["strategy"]: r for r in run.results.to_pylist() if r["vm"] is None}
    seen = set()
    for group in compare(run).scopes[0].groups:
        for row in group.rows:
            for figure, cell in zip(group.figures, row.cells, strict=True):
                result = results[row.strategy]
                if figure.counter in COUNTERS:
                    assert cell.value == result[figure.counter]
                    seen.add(figure.counter)
                if figure.share and cell.text[0] not in "<>":
                    exact = Fraction(100 * cell.value, result["records"])
                    assert abs(Fraction(cell.text) - exact) <= Fraction(1, 20)
    required = {"captured", "stage2_faults", "aborts_injected", "blackouts", "blackout_ns",
                "stopped_ns", "overhead_ns", "pins", "pinned_bytes_peak", "memlock_failures"}  # fmt: skip
    assert required <= seen


def test_lost_is_the_sum_of_its_causes() -> None:
    run = run_of({"a": {"vms": {}, "total": counters(**dict.fromkeys(LOST, 7), captured=1)}})
    assert _cell(run, "a", "lost") == 28


def test_mean_of_pinned_memory_is_its_integral_over_the_span() -> None:
    total = counters(captured=1, pinned_byte_ns=3 * 4096 * 500, pinned_bytes_end=4096)
    run = run_of({"a": {"vms": {}, "total": total}}, span_ns=[100, 1600])
    assert _cell(run, "a", "pinned_bytes_mean") == 4096
    assert _cell(run_of({"a": {"vms": {}, "total": total}}, span_ns=[9, 9]), "a", "pinned_bytes_mean") == 4096  # fmt: skip


def test_columns_of_nothing_are_left_out_and_named() -> None:
    groups = compare(small_run()).scopes[0].groups
    left_out = {name for group in groups for name in group.left_out}
    assert {"eret_traps", "oversize_buffers", "not_profiled"} <= left_out
    shown = {figure.counter for group in groups for figure in group.figures}
    assert not shown & left_out
    assert (shown | left_out) - {"lost", "pinned_bytes_mean"} == set(COUNTERS) - NOT_COLUMNS


def test_upper_bound_has_no_stage_2_columns() -> None:
    run = small_run()
    texts = {
        figure.counter: row.cells[i].text
        for group in compare(run).scopes[0].groups
        for row in group.rows
        if row.strategy == "bare-metal"
        for i, figure in enumerate(group.figures)
    }
    assert texts["stage2_faults"] == texts["pins"] == texts["overhead_ns"] == "-"
    assert texts["lost_fault"] == "0"
    assert any("no stage 2" in note for note in compare(run).notes)


def test_vms_have_tables_where_there_are_several() -> None:
    one, two = counters(captured=10), counters(captured=1, lost_fault=1, stage2_faults=1)
    both = counters(captured=11, lost_fault=1, stage2_faults=1)
    run = run_of({"map-on-fault": {"vms": {"3": one, "7": two}, "total": both}})
    scopes = compare(run).scopes
    assert [scope.title for scope in scopes] == ["All VMs", "VM 3", "VM 7"]
    assert [scope.groups[0].rows[0].cells[0].value for scope in scopes] == [11, 10, 1]
    assert [scope.title for scope in compare(small_run()).scopes] == [""]


def test_many_vms_have_few_tables_and_a_note() -> None:
    vms = {str(vm): counters(captured=1) for vm in range(40)}
    comparison = compare(run_of({"a": {"vms": vms, "total": counters(captured=40)}}))
    assert len(comparison.scopes) == 1 + VM_TABLES
    assert any("first 16 of 40 VMs" in note for note in comparison.notes)


def test_losses_stand_by_severity_and_data_loss_first_of_all() -> None:
    comparison = compare(full_run())
    assert [loss.severity for loss in comparison.losses] == ["data_loss", "warning"]
    assert [loss.source for loss in comparison.losses] == ["n1.perf.data", "session"]
    assert comparison.cautions == (
        "The recording lost data (aux_truncated, n1.perf.data): 12 AUX records flagged TRUNCATED: "
        "the buffer was full or a record lost.",
    )


def test_costs_and_pins_that_hold_are_assumptions() -> None:
    lines = {line.name: line for line in compare(small_run()).assumptions}
    assert list(lines) == ["aux_bytes", "costs", "pin_refuses"]
    assert lines["costs"].value == "irq_ns 1000, vm_exit_ns 1000"


@pytest.mark.parametrize("name", ["costs", "costs.irq_ns"])
def test_costs_that_the_session_names_are_named_once(name: str) -> None:
    given = [{"name": name, "value": "900", "text": "median of 512 exits"}]
    lines = compare(small_run(assumptions=given)).assumptions
    assert [line.name for line in lines] == [name, "pin_refuses"]


def test_strategies_say_what_they_need() -> None:
    comparison = compare(small_run())
    needs = {line.name: line.requires for line in comparison.strategies}
    assert needs["pin-vm"] == "RLIMIT_MEMLOCK of the whole VM"
    assert [line.label for line in comparison.strategies][:2] == [
        "bare-metal [upper]",
        "inject-abort [lower]",
    ]
    assert comparison.excluded == (("trap-eret", "needs FEAT_FGT"),)


def test_run_without_session_or_results_has_a_comparison() -> None:
    comparison = compare(Run())
    assert comparison.title == "0 strategies, 0 sample records, 0 VMs"
    assert comparison.answer == (
        "The session holds no sample records: it says nothing about the strategies.",
    )


def _cell(run: Run, strategy: str, counter: str) -> int:
    for group in compare(run).scopes[0].groups:
        for row in group.rows:
            for figure, cell in zip(group.figures, row.cells, strict=True):
                if (row.strategy, figure.counter) == (strategy, counter):
                    return cell.value
    raise KeyError(counter)
