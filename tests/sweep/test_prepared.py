"""A replay of a prepared session counts what a replay of the files counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sweeps import EVENT_LOG, GUEST, ON_KVM, SAMPLES

from spetrace.errors import InputError, UsageError
from spetrace.replay.engine import replay_timeline
from spetrace.replay.strategy_guide import choose
from spetrace.session.options import AssumedSpe, SessionOptions
from spetrace.sweep.prepared import PreparedSession
from spetrace.workflow.pipeline import ingest_files, replay_files
from spetrace.workflow.sweep_sessions import (
    CaptureInput,
    check_page_sizes,
    find_sources,
    prepare_session,
)

NAMES = "map-on-fault,pin-on-enable,pin-vm,host-buffer"
CHURN = CaptureInput("churn", (str(SAMPLES / "kvm-churn" / "trace.dat"),))


def prepared(
    folder: Path,
    capture: CaptureInput,
    options: SessionOptions,
    placements: int = 0,
    **shape: Any,
) -> PreparedSession:
    source = find_sources([capture], options, placements, folder / "inputs")[0]
    prepare_session(source, shape, folder / "session")
    return PreparedSession(folder / "session")


def counted(session: PreparedSession, seed: int | None = None) -> list[dict[str, Any]]:
    run = replay_timeline(session.timeline(seed), session.parameters, choose(NAMES))
    return run.results.to_pylist()


@pytest.mark.parametrize("page_size", [4096, 65536])
def test_replay_of_a_prepared_session_equals_that_of_the_files(
    tmp_path: Path, page_size: int
) -> None:
    options = SessionOptions(buffer_touched=False)
    session = prepared(tmp_path, GUEST, options, page_size=page_size)
    toml = replace(
        options, session_toml=ON_KVM / "session.toml", parameters={"page_size": page_size}
    )
    files = [ON_KVM / "guest.perf.data", ON_KVM / "host.dat"]
    assert counted(session) == replay_files(files, toml, strategies=NAMES).results.to_pylist()


def test_each_placement_equals_a_replay_with_its_seed(tmp_path: Path) -> None:
    options = SessionOptions(assume_spe=AssumedSpe(period_ns=5_000_000), placement_seed=3)
    session = prepared(tmp_path, CHURN, options, placements=3)
    found = set()
    for seed in (3, 5):
        scattered = replace(options, placement="scattered", placement_seed=seed)
        expected = replay_files([Path(CHURN.files[0])], scattered, strategies=NAMES).results
        assert counted(session, seed) == expected.to_pylist()
        found.add(str(expected.to_pylist()))
    assert len(found) == 2, "the placements matter"


def test_event_log_keeps_the_parameters_of_its_first_line(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    events = [line for line in EVENT_LOG.read_text().splitlines() if '"session"' not in line]
    log.write_text("\n".join(['{"kind": "session", "memlock_bytes": 5}', *events]) + "\n")
    session = prepared(tmp_path, CaptureInput("log", (str(log),)), SessionOptions())
    assert session.parameters.memlock_bytes == 5
    assert counted(session) == replay_files([log], strategies=NAMES).results.to_pylist()


def test_event_log_has_no_placements_and_one_page_size(tmp_path: Path) -> None:
    log = CaptureInput("log", (str(EVENT_LOG),))
    with pytest.raises(UsageError, match="capture log is assembled already"):
        find_sources([log], SessionOptions(), 2, tmp_path)
    sources = find_sources([log], SessionOptions(), 0, tmp_path)
    check_page_sizes(sources, [65536])
    with pytest.raises(UsageError, match="in pages of one size"):
        check_page_sizes(sources, [4096, 65536])


def test_content_is_that_of_files_and_choices(tmp_path: Path) -> None:
    def content(options: SessionOptions, *names: str) -> str:
        capture = CaptureInput("c", tuple(str(ON_KVM / name) for name in names))
        return find_sources([capture], options, 0, tmp_path)[0].capture.content

    plain = content(SessionOptions(), "host.dat")
    assert content(SessionOptions(placement_seed=5), "host.dat") == plain
    contents = {
        plain,
        content(SessionOptions(aux_bytes=1 << 20), "host.dat"),
        content(SessionOptions(), "guest.perf.data", "host.dat"),
        content(SessionOptions(), "guest.perf.data", "host.dat", "session.toml"),
    }
    assert len(contents) == 4


def test_captures_of_one_name_and_none_are_refused(tmp_path: Path) -> None:
    log = CaptureInput("log", (str(EVENT_LOG),))
    with pytest.raises(UsageError, match="two captures are named 'log'"):
        find_sources([log, log], SessionOptions(), 0, tmp_path)
    with pytest.raises(UsageError, match="no capture"):
        find_sources([], SessionOptions(), 0, tmp_path)
    with pytest.raises(InputError, match="No such file"):
        find_sources([CaptureInput("x", ("nothing",))], SessionOptions(), 0, tmp_path)


def test_damaged_prepared_session_is_an_input_error(tmp_path: Path) -> None:
    session = tmp_path / "session"
    prepared(tmp_path, CaptureInput("log", (str(EVENT_LOG),)), SessionOptions())
    for name, text in (("streams.arrow", "x"), ("prepared.json", '{"version": 99}')):
        (session / name).write_text(text)
        with pytest.raises(InputError, match="not as a sweep leaves it"):
            PreparedSession(session)


def test_placement_of_session_toml_counts_as_the_flag_does(tmp_path: Path) -> None:
    def seed_of(text: str, **flags: Any) -> int | None:
        (tmp_path / "session.toml").write_text(text)
        capture = CaptureInput("c", (CHURN.files[0], str(tmp_path / "session.toml")))
        return find_sources([capture], SessionOptions(**flags), 0, tmp_path)[
            0
        ].capture.placement_seed

    scattered = 'placement = "scattered"\nplacement_seed = 7\n'
    assert seed_of(scattered) == 7
    assert seed_of(scattered, placement_seed=9) == 9
    assert seed_of("placement_seed = 7\n", placement="scattered") == 7
    assert seed_of(scattered, placement="contiguous") is None


def test_captures_of_the_same_bytes_are_refused(tmp_path: Path) -> None:
    captures = [CaptureInput(name, (str(EVENT_LOG),)) for name in ("a", "b")]
    with pytest.raises(UsageError, match="captures a and b are of the same bytes"):
        find_sources(captures, SessionOptions(), 0, tmp_path)


def test_measured_costs_depend_on_the_tables_of_a_session_folder(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    ingest_files([Path(CHURN.files[0])], folder, SessionOptions(assume_spe=AssumedSpe()))
    capture = CaptureInput("c", (str(folder),))

    def contents() -> list[str]:
        options = [SessionOptions(), SessionOptions(costs="measured")]
        return [find_sources([capture], o, 0, tmp_path)[0].capture.content for o in options]

    plain, measured = contents()
    (folder / "kvm_exits.parquet").unlink()
    assert contents()[0] == plain
    assert contents()[1] != measured


def test_page_size_of_a_session_folder_is_not_another(tmp_path: Path) -> None:
    ingest_files([EVENT_LOG], tmp_path / "session")
    capture = CaptureInput("c", (str(tmp_path / "session"),))
    with pytest.raises(UsageError, match="in pages of 4096 bytes"):
        prepared(tmp_path / "a", capture, SessionOptions(), page_size=65536)
