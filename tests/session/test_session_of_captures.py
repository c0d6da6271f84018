"""Sessions of recorded and synthetic captures: the replay of each equals the expected one."""

import json

import polars as pl
import pytest

from spetrace.ingest.importer import read_recording
from spetrace.replay.engine import replay
from spetrace.replay.parameters import Parameters
from spetrace.session.assemble import assemble
from spetrace.session.options import AssumedSpe, SessionOptions

CHURN = "kvm/08-churn-lkvm/trace.dat"
LOAD = AssumedSpe(period_ns=50000)


def assembled(shared, name: str, **options):
    recording = read_recording(shared / "captures" / name)
    return recording, assemble([recording], SessionOptions(**options))


@pytest.mark.parametrize(
    ("name", "expected", "options"),
    [
        ("spe-synthetic/n1.perf.data", "spe-synthetic/n1.expected-replay.json", {}),
        ("spe-synthetic/kp.perf.data", "spe-synthetic/kp.expected-replay.json", {}),
        (CHURN, "kvm/08-churn-lkvm/expected-replay.json", {"assume_spe": LOAD}),
        (
            CHURN,
            "kvm/08-churn-lkvm/expected-replay-tracepoints.json",
            {"assume_spe": LOAD, "stage2_from": "tracepoints"},
        ),
    ],
    ids=["n1", "kp", "churn", "churn-tracepoints"],
)
def test_replay_of_a_capture_is_the_expected_one(shared, name, expected, options) -> None:
    _, session = assembled(shared, name, **options)
    run = replay(session.events, Parameters().updated(session.parameters))
    wanted = json.loads((shared / "captures" / expected).read_text())
    for row in run.results.to_pylist():
        of_vm = wanted[row["strategy"]]
        counters = of_vm["total"] if row["vm"] is None else of_vm["vms"][str(row["vm"])]
        assert {name: row[name] for name in counters} == counters
    assert {row["strategy"] for row in run.results.to_pylist()} == set(wanted)


def stage2_maps(session) -> pl.DataFrame:
    events = pl.from_arrow(session.events)
    return events.filter((pl.col("kind") == "stage2_map") & pl.col("row").is_not_null())


@pytest.mark.parametrize("name", ["trace-thp-never.dat", "both.dat"])
def test_maps_of_a_known_guest_by_probes(shared, name: str) -> None:
    folder = "kvm/16-baremetal-known-nonuma/"
    recording, session = assembled(shared, folder + name, assume_spe=LOAD)
    maps, probes = stage2_maps(session), recording.tracepoints["s2_map"]
    assert len(maps) == 97
    for column, probed in (("ipa", probes["ipa"]), ("pages", probes["size"] // 4096)):
        assert maps[column].to_list() == probed.to_list()


@pytest.mark.parametrize("name", ["trace-thp-never.dat", "both.dat"])
def test_maps_of_a_known_guest_by_tracepoints(shared, name: str) -> None:
    options = {"assume_spe": LOAD, "stage2_from": "tracepoints"}
    _, session = assembled(shared, "kvm/16-baremetal-known-nonuma/" + name, **options)
    pages = stage2_maps(session).filter(pl.col("pages") == 1)
    assert pages["ipa"].to_list() == list(dict.fromkeys(pages["ipa"].to_list()))
    assert len(pages) == 96


def test_memslots_given_as_vmm_maps_are_those_of_the_probe(shared) -> None:
    maps = shared / "captures/kvm/08-churn-lkvm/snap0/vmm-maps.txt"
    given = {"vmm_maps": maps, "ram_base": 0x8000_0000, "ram_bytes": 128 << 20}
    options = {"assume_spe": LOAD, "stage2_from": "tracepoints"}
    _, probed = assembled(shared, CHURN, **options)
    _, mapped = assembled(shared, CHURN, **options, **given)
    assert probed.machines[0]["memslots"][0]["hva"] == mapped.machines[0]["memslots"][0]["hva"]
    ram = pl.col("ipa") >= 0x8000_0000
    of_ram = [
        pl.from_arrow(s.events).filter(ram & pl.col("cause").is_not_null())
        for s in (probed, mapped)
    ]
    assert len(of_ram[0]) == 49337
    assert of_ram[0]["ipa"].equals(of_ram[1]["ipa"])
