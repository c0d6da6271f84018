"""Tables in batches give the summary of the whole ones."""

from collections.abc import Iterator

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from kvm.kvm_tables import exit_, fault, refault, state, tables

from spetrace.kvm.summarize import summarize_kvm
from spetrace.report.kvm_json import render_kvm_json
from spetrace.workflow.session_folder import quality_table


class InBatches(dict[str, pa.Table]):
    """Tables that come a few rows at a time; counts how often each is gone through."""

    def __init__(self, own: dict[str, pa.Table], rows: int) -> None:
        super().__init__(own)
        self.rows = rows
        self.passes: dict[str, int] = {}

    def batches_of(self, name: str) -> Iterator[pa.RecordBatch]:
        self.passes[name] = self.passes.get(name, 0) + 1
        return iter(self[name].to_batches(self.rows))


def rendered(held: dict[str, pa.Table]) -> str:
    return render_kvm_json(summarize_kvm(held, {}, quality_table([])))


exits = st.builds(
    lambda vm, vcpu, at, length, name: exit_(
        vm, vcpu, at, None if length is None else at + length, name
    ),
    st.integers(0, 1),
    st.integers(0, 2),
    st.integers(0, 200),
    st.one_of(st.none(), st.integers(0, 30)),
    st.sampled_from(["DABT_LOW", "WFx", None]),
)
faults = st.builds(
    lambda at, handled, **facts: fault(at, handled, **facts),
    st.integers(0, 200),
    st.one_of(st.none(), st.integers(0, 9)),
    vm=st.integers(0, 1),
    is_emulated=st.booleans(),
    is_fetch=st.booleans(),
)
refaults = st.builds(refault, st.integers(0, 4), st.integers(0, 10**7), is_write=st.booleans())
counts = st.integers(0, 9)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(exits, max_size=30),
    st.lists(faults, max_size=30),
    st.lists(refaults, max_size=20),
    st.lists(st.builds(state, st.integers(0, 99), counts, counts), min_size=1, max_size=9),
    st.integers(1, 6),
    st.booleans(),
)
def test_any_batches_give_the_same_summary(
    exits, faults, refaults, states, rows: int, in_order: bool
) -> None:
    if in_order:
        exits.sort(key=lambda row: row["exit_ns"])
    held = tables(
        kvm_exits=exits, stage2_faults=faults, refaults=refaults,
        vm_state=sorted(states, key=lambda row: row["time_ns"]),
    )  # fmt: skip
    parted = InBatches(held, rows)
    assert rendered(parted) == rendered(held)
    assert parted.passes["kvm_exits"] == 1 or not in_order


def test_exits_out_of_order_are_put_in_order() -> None:
    rows = [exit_(0, 0, at, at + 10, "WFx") for at in (100, 300, 200, 400)]
    late = InBatches(tables(kvm_exits=rows), 1)
    (vm,) = summarize_kvm(late, {}, quality_table([])).vms
    (vcpu,) = vm.vcpus
    assert (vcpu.exits, vcpu.guest_ns, vcpu.host_ns) == (4, 270, 40)
    assert late.passes["kvm_exits"] == 2
