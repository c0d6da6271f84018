from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from session_recordings import READ, WRITE, event, host

from spetrace.errors import InputError
from spetrace.session.assemble import assemble_kvm_tables
from spetrace.session.costs import measure_costs
from spetrace.session.costs_toml import parse_costs, read_costs, render_costs
from spetrace.session.options import SessionOptions
from spetrace.tables.costs import CostBasis
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.stage2_faults import STAGE2_FAULTS

TRAP, IRQ = 2, 0
SYS64, HVC, DABT, WFX = 0x18, 0x16, 0x24, 0x01
FETCH = 0x82000007
NAMES = ("irq_ns", "vm_exit_ns", "map_page_ns")


class Guest:
    """A vCPU's events, one exit after the other."""

    def __init__(self) -> None:
        self.events = [event("kvm_entry", 0)]
        self.now = 0

    def exit(self, handled: int, class_: int = 0, between: list[tuple[str, dict]] = ()) -> Guest:
        ret = TRAP if class_ else IRQ
        self.now += 1000
        self.events.append(event("kvm_exit", self.now, ret=ret, esr_ec=class_))
        self.events += [event(name, self.now + 1, **fields) for name, fields in between]
        self.now += handled
        self.events.append(event("kvm_entry", self.now))
        return self

    def fault(self, handled: int, ipa: int, esr: int = WRITE, class_: int = DABT, **more) -> Guest:
        between = [("kvm_guest_fault", {"hsr": esr, "ipa": ipa, "hxfar": 0})]
        return self.exit(handled, class_, [*between, *more.get("then", [])])

    def costs(self) -> dict[str, CostBasis]:
        tables = assemble_kvm_tables([host(self.events)], SessionOptions()).tables
        found = measure_costs(tables[KVM_EXITS.name], tables[STAGE2_FAULTS.name])
        return {cost.name: cost for cost in found}


def test_medians_of_traps_and_of_aborts_that_map() -> None:
    guest = Guest()
    for handled in (30, 10, 20):
        guest.exit(handled, SYS64)
    for place, handled in enumerate((500, 100, 300)):
        guest.fault(handled, 0x8000_0000 + place * 4096)
    costs = guest.costs()
    assert costs["sysreg_trap_ns"].ns == 20
    assert costs["vm_exit_ns"].ns == 20
    page = costs["map_page_ns"]
    assert (page.ns, page.count, page.p50_ns) == (300 - 20, 3, 300)
    assert {c.basis for c in costs.values()} == {"measured"}


def test_percentiles_are_numpys_rounded() -> None:
    guest = Guest()
    taken = [7, 11, 13, 400, 9, 8, 10, 12]
    for handled in taken:
        guest.exit(handled, SYS64)
    cost = guest.costs()["sysreg_trap_ns"]
    expected = [round(p) for p in np.percentile(taken, [50, 90, 99])]
    assert [cost.p50_ns, cost.p90_ns, cost.p99_ns] == expected
    assert cost.count == len(taken)


def test_exit_is_of_the_cheapest_kind_that_is_frequent() -> None:
    guest = Guest()
    guest.exit(1, HVC)
    for _ in range(30):
        guest.exit(90, SYS64)
        guest.exit(50)
        guest.exit(5, WFX)
    cost = guest.costs()["vm_exit_ns"]
    assert (cost.ns, cost.count) == (50, 30)
    assert "IRQ" in cost.text


def test_exit_is_of_the_cheapest_kind_where_none_is_frequent() -> None:
    cost = Guest().exit(40, SYS64).exit(10, HVC).costs()["vm_exit_ns"]
    assert (cost.ns, cost.count) == (10, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"then": [("kvm_mmio", {})]},
        {"esr": FETCH, "class_": 0x20},
        {"esr": 0x9200000F},
        {"esr": 0x9200000B},
    ],
    ids=["mmio", "fetch", "read of a read-only page", "access flag"],
)
def test_other_aborts_map_no_page(other) -> None:
    guest = Guest().exit(10, SYS64).fault(100, 0x8000_0000).fault(9999, 0x9000_0000, **other)
    assert (guest.costs()["map_page_ns"].ns, guest.costs()["map_page_ns"].count) == (90, 1)


def test_fault_that_kvm_tries_again_maps_no_page() -> None:
    guest = Guest().exit(10, SYS64)
    guest.fault(9999, 0x8000_0000, READ).fault(100, 0x8000_0000, READ)
    assert guest.costs()["map_page_ns"].count == 1


def test_mapping_is_never_below_zero() -> None:
    assert Guest().exit(500, SYS64).fault(100, 0x8000_0000).costs()["map_page_ns"].ns == 0


def test_what_is_not_recorded_is_left_to_the_default_and_says_why() -> None:
    costs = Guest().exit(10).costs()
    assert costs["vm_exit_ns"].ns == 10
    for name in ("map_page_ns", "sysreg_trap_ns"):
        assert (costs[name].ns, costs[name].basis, costs[name].count) == (None, "default", None)
        assert "was recorded" in costs[name].text


def test_no_tables_measure_nothing() -> None:
    found = measure_costs(KVM_EXITS.empty(), STAGE2_FAULTS.empty())
    assert [cost.ns for cost in found] == [None, None, None]


def test_capture_by_another_way(shared) -> None:
    """The same medians by pairing exits and entries one after the other."""
    from spetrace.ingest.importer import read_recording

    path = shared / "captures" / "kvm" / "16-baremetal-known-nonuma" / "trace-thp-never.dat"
    recording = read_recording(path)
    found = {c.name: c for c in _measured(recording)}
    frames = [
        recording.tracepoints[name].with_columns(name=pl.lit(name))
        for name in ("kvm_entry", "kvm_exit", "kvm_guest_fault", "kvm_mmio")
    ]
    events = pl.concat(frames, how="diagonal").sort("index").to_dicts()
    traps, served = [], []
    last, fault, mmio = None, None, False
    faults = []
    for row in events:
        if row["name"] == "kvm_exit":
            last, fault, mmio = row, None, False
        elif row["name"] == "kvm_guest_fault":
            fault = row
        elif row["name"] == "kvm_mmio":
            mmio = True
        elif last is not None:
            handled = row["time_ns"] - last["time_ns"]
            if last["esr_ec"] == SYS64 and last["ret"] == TRAP:
                traps.append(handled)
            if fault and last["esr_ec"] == DABT:
                faults.append((fault["ipa"], handled, mmio))
            last = None
    following = [ipa for ipa, _handled, _mmio in faults[1:]] + [None]
    served = [
        h for (ipa, h, m), after in zip(faults, following, strict=True) if not m and ipa != after
    ]
    assert found["sysreg_trap_ns"].p50_ns == round(float(np.median(traps)))
    assert found["map_page_ns"].count == len(served)
    assert found["map_page_ns"].p50_ns == round(float(np.median(served)))


def _measured(recording) -> list[CostBasis]:
    tables = assemble_kvm_tables([recording], SessionOptions()).tables
    return measure_costs(tables[KVM_EXITS.name], tables[STAGE2_FAULTS.name])


def test_toml_goes_round() -> None:
    costs = [
        CostBasis("irq_ns", 1000, "default"),
        CostBasis("vm_exit_ns", 812, "measured", "Median of something.", 3, 812, 900, 1000),
    ]
    text = render_costs(costs, "host.dat")
    assert parse_costs(text, NAMES) == {"vm_exit_ns": 812}
    assert "# n 3, p50 812, p90 900, p99 1,000" in text
    assert "# irq_ns = 1000" in text


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("tea_ns = 1", "tea_ns: no such cost; there are irq_ns, vm_exit_ns, map_page_ns"),
        ("irq_ns = -1", "irq_ns: is no integer from 0 to 1000000000000 (ns)"),
        ("irq_ns = true", "irq_ns: is no integer from 0 to 1000000000000 (ns)"),
        ("irq_ns = 1.5", "irq_ns: is no integer from 0 to 1000000000000 (ns)"),
        ("irq_ns =", "Invalid value"),
    ],
)
def test_bad_toml_is_an_error_with_its_key(text: str, cause: str) -> None:
    with pytest.raises(InputError, match=cause.replace("(", r"\(").replace(")", r"\)")):
        parse_costs(text, NAMES)


def test_bad_file_is_named(tmp_path) -> None:
    path = tmp_path / "costs.toml"
    path.write_text("tea_ns = 1")
    with pytest.raises(InputError, match=r"costs\.toml: costs: tea_ns"):
        read_costs(path, NAMES)
    with pytest.raises(InputError, match="No such file"):
        read_costs(tmp_path / "none.toml", NAMES)
