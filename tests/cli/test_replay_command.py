from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cli.command import SAMPLES, Command

from spetrace.replay.strategies import STRATEGIES

LOG = SAMPLES / "scenario-swap-under-the-buffer" / "events.jsonl"
SPE = SAMPLES / "spe-neoverse-n1" / "spe.perf.data"
KVM = SAMPLES / "kvm-known-pages" / "trace.dat"
NAMES = [s.name for s in STRATEGIES]


def report(spetrace: Command, *words: str | Path) -> dict[str, dict[str, dict[str, int]]]:
    result = spetrace("replay", *words, "--format", "json")
    assert result.code == 0, result.err
    found: dict[str, dict[str, dict[str, int]]] = json.loads(result.out)
    return found


def test_formats_show_all_strategies(spetrace: Command) -> None:
    for name in ("table", "text"):
        result = spetrace("replay", LOG, "--format", name)
        assert (result.code, result.err) == (0, "")
        for strategy in NAMES:
            assert strategy in result.out
    assert list(report(spetrace, LOG)["strategies"]) == NAMES


def test_nothing_is_written_without_output(
    spetrace: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert spetrace("replay", LOG).code == 0
    assert list(tmp_path.iterdir()) == []


def test_results_folder_holds_what_was_shown(spetrace: Command, tmp_path: Path) -> None:
    out = tmp_path / "results"
    result = spetrace("replay", LOG, "-o", out, "--outcomes", "--format", "json")
    assert result.code == 0, result.err
    assert {p.name for p in out.iterdir()} == {
        "report.html", "report.json", "report.txt", "results.parquet", "blackouts.parquet",
        "aborts.parquet", "pinned.parquet", "outcomes.parquet", "quality.parquet", "session.json",
    }  # fmt: skip
    assert (out / "report.json").read_text() == result.out
    assert pq.read_metadata(out / "results.parquet").num_rows == 2 * len(NAMES)
    outcomes = pq.read_table(out / "outcomes.parquet")
    records = json.loads(result.out)["strategies"]["bare-metal"]["total"]["records"]
    assert len(outcomes) == records * len(NAMES)
    session = json.loads((out / "session.json").read_text())
    assert session["inputs"][0]["name"] == str(LOG)
    assert len(session["inputs"][0]["sha256"]) == 64
    assert spetrace("replay", LOG, "-o", out).code == 0
    assert not (out / "outcomes.parquet").exists()


def test_bounds_are_always_in_the_comparison(spetrace: Command) -> None:
    found = report(spetrace, LOG, "--strategy", "pin_vm,map-on-fault")["strategies"]
    assert list(found) == ["bare-metal", "inject-abort", "pin-vm", "map-on-fault"]


def test_options_set_parameters(spetrace: Command) -> None:
    found = report(
        spetrace, LOG, "--memlock-bytes", "64K", "--max-buffer-bytes", "1M", "--keep-ns", "none",
        "--dl-model", "always", "--data-loss", "keep", "--pin-refuses", "swap,ksm",
        "--host-buffer-bytes", "16K", "--cost", "irq_ns=7", "--cost", "vm_exit_ns=9",
        "--initial-stage2", "empty", "--memory-bytes", "2G",
    )["parameters"]  # fmt: skip
    expected = {
        "memlock_bytes": 65536, "max_buffer_bytes": 1 << 20, "keep_ns": None, "dl_model": "always",
        "data_loss": "keep", "pin_refuses": "swap,ksm", "host_buffer_bytes": 16384,
        "initial_stage2": "empty", "memory_bytes": 2 << 30,
    }  # fmt: skip
    assert expected.items() <= found.items()
    assert (found["costs"]["irq_ns"], found["costs"]["vm_exit_ns"]) == (7, 9)


def test_option_wins_over_the_session_line(spetrace: Command) -> None:
    """The log's first line says initial_stage2 = all."""
    assert report(spetrace, LOG)["parameters"]["initial_stage2"] == "all"
    empty = report(spetrace, LOG, "--initial-stage2", "empty")
    assert empty["parameters"]["initial_stage2"] == "empty"
    faults = [r["strategies"]["map-on-fault"]["total"]["stage2_faults"] for r in (report(spetrace, LOG), empty)]  # fmt: skip
    assert faults[0] < faults[1]


def test_kvm_recording_alone_is_nothing_to_replay(spetrace: Command, tmp_path: Path) -> None:
    result = spetrace("replay", KVM, "-o", tmp_path / "out")
    assert (result.code, result.out) == (4, "")
    assert "--assume-spe" in result.err
    assert list(tmp_path.iterdir()) == []


def test_kvm_recording_with_an_assumed_load(spetrace: Command) -> None:
    rare = report(spetrace, "--assume-spe=period_ns=1000000", KVM)["strategies"]
    default = report(spetrace, "--assume-spe", KVM)["strategies"]
    assert (
        default["bare-metal"]["total"]["records"] > 900 * rare["bare-metal"]["total"]["records"] > 0
    )


def test_log_without_events_is_nothing_to_replay(spetrace: Command, tmp_path: Path) -> None:
    log = tmp_path / "empty.jsonl"
    log.write_text('{"kind": "session", "page_size": 4096}\n')
    result = spetrace("replay", log)
    assert result.code == 4
    assert result.err == "spetrace: the inputs hold no event to replay\n"


def test_strategy_file_joins_the_comparison(spetrace: Command, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from spetrace.replay.strategies.map_on_fault import MapOnFault\n"
        "class Mine(MapOnFault):\n"
        "    name = 'mine'\n"
        "    doc = 'The same.'\n"
    )
    found = report(spetrace, LOG, "--strategy-file", file)["strategies"]
    assert found["mine"] == found["map-on-fault"]
    assert list(found) == [*NAMES, "mine"]
    result = spetrace("replay", LOG, "--strategy-file", file, "--strategy-file", file)
    assert result.code == 2
    assert "mine" in result.err


@pytest.mark.parametrize(
    "content", ["", "name = 'x'", "import nothing_of_that_name", "raise SystemExit(1)", "def (:"]
)
def test_strategy_file_that_gives_none_is_wrong_usage(
    spetrace: Command, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(content)
    result = spetrace("replay", LOG, "--strategy-file", file)
    assert result.code == 2, result.err
    assert "mine.py" in result.err
    assert result.err.count("\n") == 1


def test_strategy_that_fails_is_named(spetrace: Command, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from spetrace.replay.strategy import Strategy\n"
        "class Mine(Strategy):\n"
        "    name = 'mine'\n"
        "    def on_armed(self, vcpu): return 1 / 0\n"
    )
    result = spetrace("replay", LOG, "-o", tmp_path / "out", "--strategy-file", file)
    assert result.code == 70
    assert "ZeroDivisionError" in result.err
    assert not (tmp_path / "out").exists()


def test_output_that_is_a_file_is_an_error(spetrace: Command, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    result = spetrace("replay", LOG, "-o", tmp_path / "out")
    assert result.code == 3
    assert (tmp_path / "out").read_text() == "mine"


def test_wrong_session_line_is_an_input_error(spetrace: Command, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"kind": "session", "page_size": 5}\n{"ts": 1, "kind": "exception"}\n')
    result = spetrace("replay", log, "-o", tmp_path / "out")
    assert result.code == 3
    assert result.err.startswith(f"spetrace: {log}: session line: page_size: 5 is not one of")
    assert not (tmp_path / "out").exists()


def test_session_folder_has_the_page_size_that_it_was_made_with(
    spetrace: Command, tmp_path: Path
) -> None:
    assumed = ("--assume-spe=period_ns=1000000", "--no-buffer-touched")
    size = ("--page-size", "64K")
    assert spetrace("ingest", KVM, *assumed, *size, "-o", tmp_path / "s").code == 0
    expected = report(spetrace, KVM, *assumed, *size)["strategies"]
    assert report(spetrace, tmp_path / "s")["strategies"] == expected
    assert report(spetrace, tmp_path / "s", *size)["strategies"] == expected
    result = spetrace("replay", tmp_path / "s", "--page-size", "4K", "-o", tmp_path / "results")
    assert (result.code, result.out) == (2, "")
    assert "its events are in pages of 65536 bytes, a page size of 4096 is late" in result.err
    assert not (tmp_path / "results").exists()


def test_session_folder_keeps_the_stage_2_that_it_was_made_with(
    spetrace: Command, tmp_path: Path
) -> None:
    given = ("--assume-spe=period_ns=1000000", "--no-buffer-touched", "--initial-stage2", "all")
    assert spetrace("ingest", KVM, *given, "-o", tmp_path / "s").code == 0
    expected = report(spetrace, KVM, *given)["strategies"]
    assert report(spetrace, tmp_path / "s")["strategies"] == expected


@pytest.mark.parametrize(
    "facts", [{"inputs": [1]}, {"machines": [1]}, {"clocks": 1}, {"inputs": [{"size_bytes": "7"}]}]
)
def test_session_folder_with_a_wrong_description_is_an_input_error(
    spetrace: Command, tmp_path: Path, facts: dict[str, object]
) -> None:
    assert spetrace("ingest", LOG, "-o", tmp_path / "s").code == 0
    description = tmp_path / "s" / "session.json"
    description.write_text(json.dumps(json.loads(description.read_text()) | facts))
    result = spetrace("replay", tmp_path / "s")
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith(f"spetrace: {description}: ")
