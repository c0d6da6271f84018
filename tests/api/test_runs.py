"""Replays in Python: the same results as the command line's, as frames, figures and files."""

from __future__ import annotations

import json
from pathlib import Path

import plotly.graph_objects as go
import polars as pl
import pytest
from builders import spe_load_record
from polars.testing import assert_frame_equal

import spetrace
from spetrace.api.command import replay_call
from spetrace.cli.main import run as command
from spetrace.replay.strategies.map_on_fault import MapOnFault
from spetrace.session.options import SessionOptions

TRACES = Path(__file__).resolve().parents[2] / "sample_traces"
FILES = [str(TRACES / "spe-on-kvm" / name) for name in ("guest.perf.data", "host.dat")]
TOML = str(TRACES / "spe-on-kvm" / "session.toml")
LOG = TRACES / "scenario-swap-under-the-buffer" / "events.jsonl"
PLOTS = ("pareto", "pinned", "blackouts", "blackout_lengths", "outcomes", "fidelity")


@pytest.fixture(scope="module")
def session() -> spetrace.Session:
    return spetrace.open_session(*FILES, session_toml=TOML)


def from_command(capsys: pytest.CaptureFixture[str], *options: str) -> dict:
    assert command(["replay", *FILES, "--session", TOML, "--format", "json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_replay_is_that_of_the_command_line(
    session: spetrace.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    for keywords, options in (
        ({}, ()),
        ({"strategies": "pin-vm", "page_size": 65536}, ("--strategy=pin-vm", "--page-size=64K")),
        ({"costs": {"irq_ns": 7}, "dl_model": "never"}, ("--cost=irq_ns=7", "--dl-model=never")),
        ({"costs_from": "measured", "memlock_bytes": 1 << 16},
         ("--costs=measured", "--memlock-bytes=64K")),
        ({"memlock_bytes": None, "initial_stage2": "all"}, ("--initial-stage2=all",)),
    ):  # fmt: skip
        run = spetrace.replay(session, **keywords)
        assert json.loads(run.report_json()) == from_command(capsys, *options), keywords


def test_replay_of_a_folder_is_that_of_its_recordings(
    session: spetrace.Session, tmp_path: Path
) -> None:
    folder = spetrace.ingest(*FILES, output=tmp_path / "session", session_toml=TOML)
    ours, theirs = spetrace.replay(session), spetrace.replay(folder)
    for name in ("results", "blackouts", "aborts", "pinned", "quality"):
        assert_frame_equal(getattr(ours, name), getattr(theirs, name))
    assert_frame_equal(spetrace.replay(tmp_path / "session").results, ours.results)


def test_replays_with_other_parameters_leave_the_session_as_it_was() -> None:
    session = spetrace.open_session(*FILES, session_toml=TOML)
    before = spetrace.replay(session)
    events = session.events.collect()
    other = spetrace.replay(session, page_size=65536)
    assert other.results["pinned_bytes_peak"].max() != before.results[
        "pinned_bytes_peak"
    ].max() or (not other.results.equals(before.results))
    assert_frame_equal(spetrace.replay(session).results, before.results)
    assert_frame_equal(session.events.collect(), events)
    assert_frame_equal(session.quality.collect(), before.quality)


def test_strategies_are_names_and_classes(session: spetrace.Session) -> None:
    class Mine(MapOnFault):
        """The same under another name."""

        name = "mine"
        doc = "As map-on-fault."

    run = spetrace.replay(session, ["pin-vm", "map-on-fault", Mine])
    names = ["bare-metal", "inject-abort", "pin-vm", "map-on-fault", "mine"]
    assert run.totals["strategy"].to_list() == names
    counters = run.totals.drop("strategy").rows()
    assert counters[-1] == counters[-2]
    assert spetrace.replay(session, [Mine]).totals["strategy"].to_list() == [*names[:2], "mine"]
    with pytest.raises(spetrace.UsageError, match="'pin-all' is none"):
        spetrace.replay(session, ["pin-all"])
    with pytest.raises(spetrace.UsageError, match="two strategies"):
        spetrace.replay(session, [Mine, Mine])
    with pytest.raises(spetrace.UsageError, match="no such parameter"):
        spetrace.replay(session, page_bytes=4096)


def test_run_names_the_call_that_made_it(session: spetrace.Session) -> None:
    run = spetrace.replay(session, "pin-vm", costs={"irq_ns": 7})
    said = run.facts["command"]
    assert said.startswith("spetrace.replay(spetrace.open_session(")
    again = eval(said, {"spetrace": spetrace})
    assert_frame_equal(again.results, run.results)
    assert again.facts["parameters"] == run.facts["parameters"]


def test_call_tells_what_is_not_as_by_default() -> None:
    run = spetrace.replay(LOG, "pin-vm", outcomes=True, fidelity=False, keep_ns=None)
    said = run.facts["command"]
    assert said.endswith(", strategies='pin-vm', outcomes=True, fidelity=False, keep_ns=None)")
    again = eval(said, {"spetrace": spetrace})
    assert again.facts["parameters"]["keep_ns"] is None
    assert_frame_equal(again.outcomes, run.outcomes)


def test_call_tells_files_of_bare_spe_bytes_apart() -> None:
    options = SessionOptions(clock_offset_ns=0)
    said = replay_call([Path("host.dat")], [Path("spe.bin")], options, {"strategies": "all"})
    assert said == (
        "spetrace.replay(spetrace.open_session('host.dat', raw_spe=['spe.bin'], clock_offset_ns=0), "
        "strategies='all')"
    )


def test_outcomes_are_there_where_asked_for() -> None:
    assert spetrace.replay(LOG, "pin-vm").outcomes is None
    outcomes = spetrace.replay(LOG, "pin-vm", outcomes=True).outcomes
    assert outcomes is not None
    assert not outcomes.is_empty()


def test_fidelity_is_there_where_records_were_recorded(session: spetrace.Session) -> None:
    found = spetrace.replay(session, "map-on-fault").fidelity
    assert {"map-on-fault", "inject-abort"} <= set(found["strategy"])
    assert spetrace.replay(session, "map-on-fault", fidelity=False).fidelity.is_empty()
    assert spetrace.replay(LOG).fidelity.is_empty()


def test_saved_run_is_read_back(session: spetrace.Session, tmp_path: Path) -> None:
    run = spetrace.replay(session)
    files = run.save(tmp_path / "results")
    assert sorted(files) == sorted((tmp_path / "results").iterdir())
    loaded = spetrace.load_results(tmp_path / "results")
    for name in ("results", "blackouts", "aborts", "pinned", "fidelity", "quality"):
        assert_frame_equal(getattr(loaded, name), getattr(run, name))
    assert (tmp_path / "results" / "report.json").read_text() == loaded.report_json()
    assert (tmp_path / "results" / "report.html").read_text() == loaded.report_html()
    assert (tmp_path / "results" / "report.txt").read_text() == loaded.report_text()
    with pytest.raises(spetrace.UsageError, match="load_results reads it"):
        spetrace.open_session(tmp_path / "results")
    with pytest.raises(spetrace.InputError, match="results folder: has no"):
        spetrace.load_results(tmp_path)


def test_run_is_worded_by_its_comparison(session: spetrace.Session) -> None:
    run = spetrace.replay(session)
    comparison = spetrace.compare(run)
    assert repr(run).splitlines()[1:] == list(comparison.answer)
    shown = run._repr_html_()
    assert "<script" not in shown
    for row in comparison.scopes[0].groups[0].rows:
        assert f"<td>{row.label}</td>" in shown
        for cell in row.cells:
            assert f"<td>{cell.text.replace('<', '&lt;')}</td>" in shown


def test_two_runs_are_compared(session: spetrace.Session, tmp_path: Path) -> None:
    a, b = spetrace.replay(session), spetrace.replay(session, page_size=65536)
    difference = spetrace.compare(a, b)
    rows = difference.counters.filter(strategy="map-on-fault", counter="captured").row(
        0, named=True
    )
    for name, run in (("a", a), ("b", b)):
        assert rows[name] == run.totals.filter(strategy="map-on-fault")["captured"].item()
    assert rows["difference"] == rows["b"] - rows["a"]
    assert difference.failures("captured>1000000") == []
    assert len(difference.failures("map-on-fault:captured>=-3124", "records==0")) >= 14
    difference.save(tmp_path / "compare")
    assert (tmp_path / "compare" / "compare.html").read_text() == difference.report_html()
    assert (tmp_path / "compare" / "compare.json").read_text() == difference.report_json()
    assert repr(difference).splitlines()[0] in difference.report_text().replace("\n", " ")
    same = spetrace.compare(a, spetrace.replay(session))
    assert same.difference.changed == ()


@pytest.mark.parametrize("name", PLOTS)
def test_plots_of_a_run_are_plotly_figures(session: spetrace.Session, name: str) -> None:
    figure = getattr(spetrace.replay(session), f"plot_{name}")()
    assert isinstance(figure, go.Figure)
    assert figure.data or figure.layout.annotations
    assert json.loads(figure.to_json())["layout"]


def test_plot_of_nothing_says_so() -> None:
    run = spetrace.replay(LOG, "pin-vm")
    figure = run.plot_blackouts()
    assert not figure.data
    assert figure.layout.annotations[0].text == "no blackouts"


def test_plots_of_a_session_are_plotly_figures(session: spetrace.Session) -> None:
    names = [name for name in dir(session) if name.startswith("plot_")]
    assert len(names) == 6
    for name in names:
        assert getattr(session, name)().data, name
    for name in ("plot_times", "plot_refaults"):
        assert getattr(session.kvm, name)().data, name
    assert session.plot_exits(vm=5).layout.annotations[0].text == "no exits of VM 5"


def test_profile_and_kvm_report_are_saved(session: spetrace.Session, tmp_path: Path) -> None:
    profile = session.profile(top=3)
    assert (profile.functions.height, profile.pcs.height > 2) == (profile.functions.height, True)
    for name in ("functions", "pcs", "pages", "latencies", "events", "cpus", "rates", "quality"):
        assert isinstance(getattr(profile, name), pl.DataFrame)
    profile.save(tmp_path / "profile")
    session.kvm.save(tmp_path / "kvm")
    assert (tmp_path / "profile" / "profile.html").read_text() == profile.report_html()
    assert (tmp_path / "profile" / "profile.json").read_text() == profile.report_json()
    assert (tmp_path / "kvm" / "kvm.html").read_text() == session.kvm.report_html()
    assert (tmp_path / "kvm" / "kvm.json").read_text() == session.kvm.report_json()
    assert "3,124 samples" in profile._repr_html_()


def test_session_folder_is_replayed_in_its_own_pages(tmp_path: Path) -> None:
    folder = spetrace.ingest(*FILES, output=tmp_path / "session", session_toml=TOML)
    with pytest.raises(spetrace.UsageError, match="in pages of 4096 bytes"):
        spetrace.replay(folder, page_size=65536)
    assert_frame_equal(
        spetrace.replay(folder, page_size=4096).results, spetrace.replay(folder).results
    )


def test_bare_spe_bytes_are_not_replayed_and_it_says_why(tmp_path: Path) -> None:
    path = tmp_path / "spe.bin"
    path.write_bytes(spe_load_record(1000, 0x4000, 0x8000))
    session = spetrace.open_session(raw_spe=[path])
    with pytest.raises(spetrace.NothingToReplayError, match="SPE data comes without AUX records"):
        spetrace.replay(session)
