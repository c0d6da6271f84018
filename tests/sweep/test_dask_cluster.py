"""The same sweep on a dask.distributed cluster; needs the extra `cluster`."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sweeps import COUNTING_STRATEGY, EVENT_LOG, journal_of, request, rows_of

from spetrace.errors import InputError, UsageError
from spetrace.sweep.dask_cluster import cluster as connected
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
    monkeypatch.setattr("spetrace.sweep.dask_cluster._SECONDS_TO_CONNECT", 0.3)
    with (
        pytest.raises(UsageError, match="can't be reached"),
        connected("tcp://127.0.0.1:9"),
    ):
        pass
