"""What real recordings say, against what their texts, their guests and their kernels say."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from session.session_recordings import whole_session

from spetrace.ingest.importer import read_recording
from spetrace.kvm.summarize import summarize_kvm
from spetrace.replay.strategy_guide import choose
from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions
from spetrace.workflow.pipeline import run_session
from spetrace.workflow.session_folder import quality_table

CHURN = "08-churn-lkvm/trace.dat"
EXIT = re.compile(r" kvm_exit: +(\w+): HSR_EC: 0x[0-9a-f]+ \((\w+)\)")


def session_of(shared: Path, name: str, **options):
    recording = read_recording(shared / "captures" / "kvm" / name)
    return whole_session([recording], SessionOptions(**options))


def summary_of(session):
    return summarize_kvm(session.tables, {}, quality_table(session.quality))


def frame(session, table: str) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(session.tables[table]))


@pytest.mark.parametrize(
    "name",
    ["08-churn-lkvm/trace", "14-kernel-6.1/trace-all", "16-baremetal-known-nonuma/trace-thp-never"],
)
def test_exits_by_class_are_those_of_the_text(shared, name: str) -> None:
    text = shared / "captures" / "kvm" / f"{name}.report-N-t.txt.gz"
    with gzip.open(text, "rt") as lines:
        found = Counter(match.groups() for line in lines if (match := EXIT.search(line)))
    expected = Counter()
    for (ret, class_), count in found.items():
        expected[class_ if ret == "TRAP" else ret] += count
    (vm,) = summary_of(session_of(shared, f"{name}.dat")).vms
    assert {each.name: each.exits for each in vm.exits} == expected


@pytest.mark.parametrize(
    ("name", "snapshot"),
    [
        ("01-allkvm-v7-zstd-local/trace.dat", "kvm-debugfs.txt"),
        (CHURN, "snap0/kvm-debugfs.txt"),
        (CHURN, "snap1/kvm-debugfs.txt"),
        ("14-kernel-6.1/trace-all.dat", "snap-all/kvm-debugfs.txt"),
    ],
)
def test_exits_by_class_are_those_that_the_kernel_counted(shared, name, snapshot) -> None:
    """debugfs is read file by file: first a VM's, then the totals; in between exits go on."""
    session = session_of(shared, name)
    exits = frame(session, "kvm_exits")["exit_class_name"].cast(pl.String)
    text = (shared / "captures" / "kvm" / name).parent / snapshot
    stats = dict(re.findall(r"^\./(\S+) (\d+)$", text.read_text(), re.MULTILINE))
    (vm,) = (key.split("/")[0] for key in stats if key.endswith("/exits"))
    first, last = exits.head(int(stats[f"{vm}/exits"])), exits.head(int(stats["exits"]))
    for class_, stat in (("HVC64", "hvc_exit_stat"), ("WFx", "wfi_exit_stat")):
        assert (first == class_).sum() <= int(stats[f"{vm}/{stat}"]) <= (last == class_).sum()
        assert (last == class_).sum() <= int(stats[stat])


def test_emulated_accesses_are_those_that_the_kernel_counted(shared) -> None:
    session = session_of(shared, CHURN)
    exits, faults = frame(session, "kvm_exits"), frame(session, "stage2_faults")
    emulated = faults.filter("is_emulated")["time_ns"]
    text = shared / "captures" / "kvm" / "08-churn-lkvm" / "snap0" / "kvm-debugfs.txt"
    stats = dict(re.findall(r"^\./(\S+) (\d+)$", text.read_text(), re.MULTILINE))
    counted = int(stats["3004-4/mmio_exit_kernel"]) + int(stats["3004-4/mmio_exit_user"])
    first, last = (exits["exit_ns"][int(stats[n]) - 1] for n in ("3004-4/exits", "exits"))
    assert (emulated <= first).sum() <= counted <= (emulated <= last).sum()


def test_known_guest_faults_once_on_each_page_it_touches(shared) -> None:
    session = session_of(shared, "16-baremetal-known-nonuma/trace-thp-never.dat")
    faults = frame(session, "stage2_faults").filter(~pl.col("is_emulated") & ~pl.col("is_fetch"))
    written = faults.filter("is_write")["ipa"].to_list()
    read = faults.filter(~pl.col("is_write"))["ipa"].to_list()
    assert written == [0x8400_0000 + 4096 * n for n in range(64)]
    assert read == [0x8501_F000 - 4096 * n for n in range(32)]
    assert len(session.tables["refaults"]) == 0
    assert frame(session, "kvm_exits")["vcpu"].unique().to_list() == [0]


def test_numa_balancing_makes_the_known_guest_fault_again(shared) -> None:
    """It unmaps all RAM once; the guest goes on to rewrite its 64 pages, and never reads the 32."""
    session = session_of(shared, "13-baremetal-known/trace-thp-never.dat")
    refaults = frame(session, "refaults")
    written = refaults.filter("is_write")["ipa"].to_list()
    assert written == [0x8400_0000 + 4096 * n for n in range(64)]
    assert refaults.filter(~pl.col("is_write"))["is_fetch"].to_list() == [True]
    assert refaults["unmapped_ns"].n_unique() <= 2


def test_guests_without_spe_never_reach_its_registers(shared) -> None:
    for name in ("13-baremetal-known/trace-thp-never.dat", "14-kernel-6.1/trace-all.dat"):
        session = session_of(shared, name)
        assert len(session.tracepoints["kvm_sys_access"]) > 0
        assert len(session.tables["spe_register_accesses"]) == 0


def test_mapped_pages_by_both_ways_peak_alike(shared) -> None:
    peaks = {}
    for way in ("probes", "tracepoints"):
        state = frame(session_of(shared, CHURN, stage2_from=way), "vm_state")
        peaks[way] = (state["mapped_pages"].max(), state["mapped_pages"][-1])
        assert state["time_ns"].is_sorted()
        assert (state["writable_pages"] <= state["mapped_pages"]).all()
    assert peaks["probes"] == peaks["tracepoints"] == (31233, 0)


def test_read_only_inference_comes_close_to_the_probes(shared) -> None:
    """The shown numbers of the documentation: faults of map-on-fault by each way."""
    recording = read_recording(shared / "captures" / "kvm" / CHURN)
    load = AssumedSpe(period_ns=50_000)
    found = {}
    for name, way in (
        ("probes", {}),
        ("tracepoints", {"stage2_from": "tracepoints"}),
        ("inferred", {"stage2_from": "tracepoints", "infer_read_only": True}),
    ):
        options = SessionOptions(assume_spe=load, **way)
        run = run_session(assemble([recording], options), options, choose("map-on-fault"))
        found[name] = {
            row["strategy"]: row["stage2_faults"]
            for row in run.results.to_pylist()
            if row["vm"] == 0
        }
    assert [way["map-on-fault"] for way in found.values()] == [724, 467, 722]
    assert [way["inject-abort"] for way in found.values()] == [18, 15, 18]
