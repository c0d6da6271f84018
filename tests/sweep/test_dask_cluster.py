"""The same sweep on a dask.distributed cluster; needs the extra `cluster`."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sweeps import COUNTING_STRATEGY, EVENT_LOG, journal_of, request, rows_of

from spetrace.errors import InputError, OutputError, UsageError
from spetrace.sweep import dask_cluster
from spetrace.sweep.dask_cluster import cluster as connected
from spetrace.sweep.execute import Entry, Task
from spetrace.sweep.locations import fetch_input, share_session
from spetrace.workflow.sweep_sessions import CaptureInput
from spetrace.workflow.sweeping import run_sweep

distributed = pytest.importorskip("distributed")
# What dask's processes leave open when they are killed is no matter of ours.
pytestmark = pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning")  # fmt: skip
GRID = {"costs.irq_ns": list(range(20)), "keep_ns": [5, None]}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Two worker processes."""
    monkeypatch.setenv("COUNTED", str(tmp_path / "counted"))
    monkeypatch.setenv("SECONDS", "0.05")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as made:
        yield made


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A cluster within this process, so that memory:// is the same for all of it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as made:
        yield made


def kill_a_worker(folder: Path, cluster: Any) -> None:
    """Kill one of the cluster's processes once some runs are kept."""
    journal = folder / "cache" / "runs.jsonl"
    while not journal.exists() or journal.read_bytes().count(b"\n") < 5:
        time.sleep(0.01)
    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)


def test_cluster_gives_the_same_rows_though_a_worker_is_killed(
    cluster: Any, tmp_path: Path
) -> None:
    (tmp_path / "counting.py").write_text(COUNTING_STRATEGY)
    asked = request(GRID, strategy_files=[tmp_path / "counting.py"])
    killer = threading.Thread(target=kill_a_worker, args=(tmp_path / "dask", cluster))
    killer.start()
    with connected(cluster.scheduler_address) as compute:
        run_sweep(asked, tmp_path / "dask", compute=compute)
    killer.join()
    assert len(journal_of(tmp_path / "dask")) == 40
    run_sweep(asked, tmp_path / "local", jobs=2)
    assert rows_of(tmp_path / "dask").equals(rows_of(tmp_path / "local"))


def test_captures_and_sessions_come_by_url(threads: Any, tmp_path: Path) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    store.pipe("/in/events.jsonl", EVENT_LOG.read_bytes())
    asked = request(GRID, captures=[CaptureInput("log", ("memory://in/events.jsonl",))])
    with connected(threads.scheduler_address) as compute:
        plan = run_sweep(asked, tmp_path / "dask", compute=compute, cache_url="memory://cache")
    run_sweep(request(GRID), tmp_path / "local", jobs=1)
    assert rows_of(tmp_path / "dask").equals(rows_of(tmp_path / "local"))
    key = plan.runs[0].session
    assert store.exists(f"/cache/{key}/prepared.json")
    assert (tmp_path / "user" / "spetrace" / "sweep" / key / "prepared.json").is_file()


def test_url_of_a_session_folder_and_of_a_file_that_changes(tmp_path: Path) -> None:
    import fsspec

    from spetrace.workflow.pipeline import ingest_files

    ingest_files([EVENT_LOG], tmp_path / "session")
    store = fsspec.filesystem("memory")
    store.put(str(tmp_path / "session"), "/folders/session", recursive=True)
    folder = CaptureInput("log", ("memory://folders/session",))
    run_sweep(request({}, captures=[folder]), tmp_path / "a")
    run_sweep(request({}), tmp_path / "local")
    counters = rows_of(tmp_path / "local").drop(["run_id"])
    assert rows_of(tmp_path / "a").drop(["run_id"]).equals(counters)

    lines = EVENT_LOG.read_bytes().splitlines(keepends=True)
    for kept, computed in ((len(lines), 1), (len(lines), 1), (len(lines) - 1, 2)):
        if computed != 1 or not store.exists("/in/changing.jsonl"):
            store.pipe("/in/changing.jsonl", b"".join(lines[:kept]))
        changing = CaptureInput("log", ("memory://in/changing.jsonl",))
        run_sweep(request({}, captures=[changing]), tmp_path / "b")
        assert len(journal_of(tmp_path / "b")) == computed


def test_input_that_cannot_be_fetched_is_one_sentence(tmp_path: Path) -> None:
    for url, error in (
        ("memory://nothing/there.jsonl", InputError),
        ("nosuch://bucket/a.jsonl", UsageError),
    ):
        asked = request({}, captures=[CaptureInput("log", (url,))])
        with pytest.raises(error, match=url):
            run_sweep(asked, tmp_path / "x")


def test_scheduler_that_is_not_there_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "_SECONDS_TO_CONNECT", 0.3)
    with (
        pytest.raises(UsageError, match="can't be reached"),
        connected("tcp://127.0.0.1:9"),
    ):
        pass


def test_two_sweeps_of_the_same_runs_on_one_cluster_keep_their_own_strategies(
    threads: Any, tmp_path: Path
) -> None:
    def tasks(folder: Path, strategies: str) -> list[Task]:
        made: list[Task] = []

        def keep(given: Sequence[Task]) -> Generator[Entry, None, None]:
            made.extend(given)
            yield from ()

        run_sweep(request(GRID, strategies=strategies), folder, compute=keep)
        return made

    with (
        connected(threads.scheduler_address) as first,
        connected(threads.scheduler_address) as second,
    ):
        begun = first(tasks(tmp_path / "a", "pin-vm"))
        next(begun)
        own = list(second(tasks(tmp_path / "b", "map-on-fault")))
        begun.close()
    assert {name for entry in own for name in entry["strategies"]} == {
        "bare-metal", "inject-abort", "map-on-fault"
    }  # fmt: skip


def test_file_whose_store_gives_no_key_of_its_content_is_fetched_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    monkeypatch.setattr(type(store), "ukey", lambda _self, path: path)
    for content in (b"first", b"second"):
        store.pipe("/in/file.jsonl", content)
        assert fetch_input("memory://in/file.jsonl", tmp_path).read_bytes() == content


def test_error_of_an_object_stores_own_library_is_an_input_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    def refuse(*_given: Any, **_more: Any) -> None:
        raise RuntimeError("no credentials")

    store = fsspec.filesystem("memory")
    store.pipe("/in/refused.jsonl", b"x")
    monkeypatch.setattr(type(store), "get_file", refuse)
    with pytest.raises(InputError, match="no credentials"):
        fetch_input("memory://in/refused.jsonl", tmp_path)
    monkeypatch.setattr(type(store), "makedirs", refuse)
    with pytest.raises(OutputError, match="no credentials"):
        share_session(tmp_path, "memory://cache/session")
