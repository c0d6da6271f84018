"""`spetrace export`, from files to a trace."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest
from export.trace_reader import Shown, read_trace

from spetrace.cli.main import run
from spetrace.workflow.perfetto_export import export_perfetto

SAMPLES = Path(__file__).resolve().parents[2] / "sample_traces"
CHURN = SAMPLES / "kvm-churn" / "trace.dat"
GUEST = SAMPLES / "spe-on-kvm"
RECORDINGS = [
    *(str(GUEST / name) for name in ("guest.perf.data", "host.dat")),
    *("--session", str(GUEST / "session.toml")),
]
SCENARIO = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a session of a guest and its host, its results, and the trace of both."""
    folder = tmp_path_factory.mktemp("export")
    session, results = str(folder / "session"), str(folder / "results")
    assert run(["ingest", *RECORDINGS, "-o", session]) == 0
    assert run(["replay", session, "-o", results]) == 0
    assert run(["export", session, results, "--perfetto", str(folder / "trace")]) == 0
    return folder


@pytest.fixture(scope="module")
def shown(folder: Path) -> Shown:
    return read_trace(folder / "trace")


def slices_of(shown: Shown, end: str) -> list[tuple[str, int, int | None]]:
    found = [s for s in shown.slices if s.track.endswith(end)]
    return sorted((s.track, s.start, s.end) for s in found)


def test_trace_begins_with_what_it_is_of(shown: Shown) -> None:
    assert shown.facts["spetrace.inputs"].endswith("host.dat")
    assert not [name for name in shown.facts if "left_out" in name]


def test_exits_are_those_of_the_table(folder: Path, shown: Shown) -> None:
    exits = pl.read_parquet(folder / "session" / "kvm_exits.parquet")
    expected = sorted(
        (f"VM {vm} / vCPU {vcpu}", start, end)
        for vm, vcpu, start, end in exits.select("vm", "vcpu", "exit_ns", "entry_ns").iter_rows()
    )
    host = [s for s in shown.slices if "pc" in s.details]
    assert sorted((s.track, s.start, s.end) for s in host) == expected


def test_guest_time_is_that_between_entry_and_exit(folder: Path, shown: Shown) -> None:
    exits = pl.read_parquet(folder / "session" / "kvm_exits.parquet").sort("exit_ns")
    following = pl.col("exit_ns").shift(-1).over("vcpu")
    expected = exits.select((following - pl.col("entry_ns")).sum()).item()
    guest = [s for s in shown.slices if s.name == "guest" and s.end is not None]
    assert sum(s.end - s.start for s in guest) == expected


def test_faults_are_those_of_the_table(folder: Path, shown: Shown) -> None:
    faults = pl.read_parquet(folder / "session" / "stage2_faults.parquet")
    expected = faults.select("time_ns", "vcpu", "ipa", "va", "pc", "esr").rows()
    found = [
        (i.time, int(i.track.split("vCPU ")[1][0]), *(i.details[k] for k in ("ipa", "va", "pc", "esr")))
        for i in shown.instants if i.track.endswith("stage-2 faults")
    ]  # fmt: skip
    assert sorted(found) == sorted(expected)


def test_register_writes_are_those_of_the_event_log(folder: Path, shown: Shown) -> None:
    events = pl.read_parquet(folder / "session" / "events.parquet")
    writes = events.filter(pl.col("kind").cast(pl.String) == "sysreg_write")
    expected = writes.select("ts", pl.col("reg").cast(pl.String), "value").rows()
    found = [
        (i.time, i.name, i.details["value"])
        for i in shown.instants
        if i.track.endswith("SPE registers")
    ]
    assert len(found) > 50
    assert sorted(found) == sorted(expected)


def test_blackouts_are_those_of_the_table(folder: Path, shown: Shown) -> None:
    blackouts = pl.read_parquet(folder / "results" / "blackouts.parquet")
    expected = sorted(
        (f"VM {row['vm']} / {row['strategy']} / vCPU {row['vcpu']} blackouts", row["start_ns"], row["end_ns"])
        for row in blackouts.iter_rows(named=True)
    )  # fmt: skip
    assert len(expected) > 20
    assert slices_of(shown, "blackouts") == expected


def test_pinned_bytes_are_those_of_the_table(folder: Path, shown: Shown) -> None:
    pinned = pl.read_parquet(folder / "results" / "pinned.parquet")
    expected: dict[str, list[tuple[int, int]]] = {}
    for row in pinned.iter_rows(named=True):
        track = f"VM {row['vm']} / {row['strategy']} / pinned"
        expected.setdefault(track, []).append((row["ts"], row["pinned_bytes"]))
    found = {track: values for track, values in shown.counters.items() if "pinned" in track}
    assert found == expected
    assert all(shown.tracks[track].counter.unit == 3 for track in found), "bytes"


def test_mapped_pages_are_those_of_the_table(folder: Path, shown: Shown) -> None:
    state = pl.read_parquet(folder / "session" / "vm_state.parquet")
    values = shown.counters["VM 0 / stage 2: mapped pages"]
    assert values == state.select("time_ns", "mapped_pages").rows()


def test_aux_records_and_gaps_are_those_of_the_tables(folder: Path, shown: Shown) -> None:
    records = pl.read_parquet(folder / "session" / "aux_records.parquet")
    found = [
        (i.time, int(i.track.split("CPU ")[1].split()[0]), i.details["aux_offset"])
        for i in shown.instants
        if i.track.endswith("AUX records")
    ]
    assert len(found) > 5
    assert sorted(found) == sorted(records.select("time_ns", "cpu", "aux_offset").iter_rows())
    gaps = pl.read_parquet(folder / "session" / "recording_gaps.parquet")
    drawn = [(s.start, s.end, s.name) for s in shown.slices if s.track.endswith("gaps")]
    cause = pl.col("cause").cast(pl.String)
    assert sorted(drawn) == sorted(gaps.select("start_ns", "end_ns", cause).iter_rows())


def test_recordings_give_the_session_s_trace(folder: Path, tmp_path: Path, shown: Shown) -> None:
    words = ["export", *RECORDINGS, str(folder / "results")]
    assert run([*words, "--perfetto", str(tmp_path / "trace")]) == 0
    again = read_trace(tmp_path / "trace")
    assert again.slices == shown.slices
    assert again.instants == shown.instants
    assert again.counters == shown.counters


def test_host_of_many_exits(tmp_path: Path) -> None:
    """Begin and end of each exit and of the guest's time after it, but for each vCPU's last exit,
    which has no entry.
    """
    session, trace = tmp_path / "session", tmp_path / "trace"
    assert run(["ingest", str(CHURN), "-o", str(session)]) == 0
    exported = export_perfetto([session], trace)
    exits, faults, state = (
        pl.scan_parquet(session / f"{name}.parquet").select(pl.len()).collect().item()
        for name in ("kvm_exits", "stage2_faults", "vm_state")
    )
    vcpus = 2
    assert exported.written.events == 4 * exits - 3 * vcpus + faults + 2 * state
    assert exported.left_out == ()
    assert trace.stat().st_size == exported.written.size_bytes < 40 * exported.written.events


def test_window_and_limit_say_what_they_leave_out(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(folder / "session"), "--from", "1s", "--to", "4100ms", "--limit", "500"]
    assert run([*words, "--perfetto", str(tmp_path / "trace")]) == 0
    out = capsys.readouterr().out
    trace = read_trace(tmp_path / "trace")
    times = [s.start for s in trace.slices] + [i.time for i in trace.instants]
    assert max(times) - min(times) <= 3_100_000_000
    assert len(times) + sum(map(len, trace.counters.values())) <= 500
    sentences = [text for name, text in trace.facts.items() if "left_out" in name]
    assert len(sentences) > 1
    assert all(f"left out: {sentence}" in out for sentence in sentences)


def test_event_log_with_its_results(tmp_path: Path) -> None:
    results, trace = tmp_path / "results", tmp_path / "trace"
    assert run(["replay", str(SCENARIO), "-o", str(results)]) == 0
    assert run(["export", str(SCENARIO), str(results), "--perfetto", str(trace)]) == 0
    shown = read_trace(trace)
    assert len(shown.of("VM 0 / vCPU 0 / SPE registers")) == 6
    assert len(shown.of("VM 0 / map-on-fault / vCPU 0 blackouts")) == 2


def test_two_runs_of_the_same_inputs_are_told_apart(folder: Path, tmp_path: Path) -> None:
    other, trace = tmp_path / "other", tmp_path / "trace"
    words = ["replay", str(folder / "session"), "--cost", "irq_ns=5000", "-o", str(other)]
    assert run([*words, "--strategy", "map-on-fault"]) == 0
    assert run(["export", str(folder / "results"), str(other), "--perfetto", str(trace)]) == 0
    shown = read_trace(trace)
    assert slices_of(shown, f"{other}: map-on-fault / vCPU 0 blackouts")
    assert slices_of(shown, f"{folder / 'results'}: map-on-fault / vCPU 0 blackouts")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["{folder}/session", "{tmp}/results"], 2, "of other inputs"),
        (["{folder}/session", "{folder}/session"], 2, "without other recordings"),
        (["{folder}/session", "--clock-offset", "0"], 2, "is late"),
        (["{tmp}"], 2, "no folder of spetrace"),
        (["{tmp}/missing"], 3, "missing"),
        (["{folder}/session", "--from", "2s", "--to", "1s"], 2, "is not after"),
        (["{folder}/session", "--from", "99s"], 2, "after the last event"),
        (["{folder}/session", "--from", "1.5"], 2, "is no time"),
        (["{folder}/session", "--limit", "0"], 2, "is no number above 0"),
    ],
)
def test_errors_are_a_sentence_and_leave_nothing(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    sentence: str,
) -> None:
    run(["replay", str(SCENARIO), "-o", str(tmp_path / "results")])
    capsys.readouterr()
    out = tmp_path / "out"
    out.mkdir()
    placed = [word.format(folder=folder, tmp=tmp_path) for word in words]
    assert run(["export", *placed, "--perfetto", str(out / "trace")]) == code
    assert sentence in capsys.readouterr().err
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("name", ["kvm_exits", "events", "stage2_faults"])
def test_damaged_table_is_an_input_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    session, trace = tmp_path / "session", tmp_path / "trace"
    assert run(["ingest", str(CHURN), "--assume-spe", "period_ns=5000000", "-o", str(session)]) == 0
    file = session / f"{name}.parquet"
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", whole[:1000] + bytes(500) + whole[1500:]):
        file.write_bytes(damaged)
        assert run(["export", str(session), "--perfetto", str(trace)]) == 3
        assert f"{name}.parquet" in capsys.readouterr().err
        assert not trace.exists()


def test_damaged_session_json_is_no_defect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session, trace = tmp_path / "session", tmp_path / "trace"
    assert run(["ingest", str(SCENARIO), "-o", str(session)]) == 0
    facts = json.loads((session / "session.json").read_text())
    odd = {"machines": [{"vm": {}}, {"vcpus": 7}], "inputs": [{}], "clocks": [{"source": []}]}
    (session / "session.json").write_text(json.dumps(facts | odd))
    assert run(["export", str(session), "--perfetto", str(trace)]) == 0
    assert read_trace(trace).events == 6
    for name in odd:
        (session / "session.json").write_text(json.dumps(facts | odd | {name: [5]}))
        assert run(["export", str(session), "--perfetto", str(trace)]) == 3
        assert f"{name} is no list of objects" in capsys.readouterr().err


def test_old_trace_stands_where_a_new_one_fails(folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    trace.write_bytes(b"old")

    def fail(name: str) -> None:
        if name == "writing the trace":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_perfetto([folder / "session"], trace, step=fail)
    assert [file.name for file in tmp_path.iterdir()] == ["trace"]
    assert trace.read_bytes() == b"old"


def test_missing_package_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "spetrace.export.packets", raising=False)
    monkeypatch.setitem(sys.modules, "perfetto.protos.perfetto.trace", None)
    assert run(["export", str(SCENARIO), "--perfetto", str(tmp_path / "trace")]) == 2
    assert "pip install 'spetrace[perfetto]'" in capsys.readouterr().err
