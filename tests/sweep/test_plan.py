from __future__ import annotations

from dataclasses import replace

import pytest

from spetrace.errors import UsageError
from spetrace.sweep import plan as planning
from spetrace.sweep.plan import Capture, check_size, plan_runs

CAPTURE = Capture("a", "c0ffee", ("page_size",))


def test_runs_of_one_session_and_placement_stand_together() -> None:
    runs = plan_runs(
        [replace(CAPTURE, seeds=(7, 8))], {"costs.irq_ns": [1, 2], "page_size": [4096, 65536]}
    )
    assert len({run.run_id for run in runs}) == len(runs) == 8
    places = [(run.point["page_size"], run.placement_seed) for run in runs]
    assert places == sorted(places)
    assert len({run.session for run in runs}) == 2
    assert all(run.redrawn for run in runs)


def test_id_is_stable_and_stands_for_all_that_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    def id_of(capture: Capture = CAPTURE, irq_ns: int = 1) -> str:
        return plan_runs([capture], {"costs.irq_ns": [irq_ns]})[0].run_id

    first = id_of()
    assert id_of() == first
    assert id_of(replace(CAPTURE, name="b")) == first, "a name is no content"
    others = {
        id_of(irq_ns=2),
        id_of(replace(CAPTURE, content="other")),
        id_of(replace(CAPTURE, placement_seed=0)),
        id_of(replace(CAPTURE, seeds=(1,))),
    }
    monkeypatch.setattr(planning, "SEMANTICS_VERSION", 999)
    others.add(id_of())
    assert len(others - {first}) == 5


def test_more_placements_keep_the_ids_of_the_first() -> None:
    few = plan_runs([replace(CAPTURE, seeds=(0, 1))], {})
    many = plan_runs([replace(CAPTURE, seeds=(0, 1, 2))], {})
    assert [run.run_id for run in few] == [run.run_id for run in many[:2]]


def test_grid_that_is_too_large_is_refused_with_its_size() -> None:
    captures = [replace(CAPTURE, seeds=tuple(range(200))), replace(CAPTURE, name="b")]
    with pytest.raises(
        UsageError, match=r"sweep of 603 runs \(3 points .* 2 captures at up to 200"
    ):
        check_size(captures, {"costs.irq_ns": [1, 2, 3]}, 602)
    check_size(captures, {"costs.irq_ns": [1, 2, 3]}, 603)


def test_sessions_with_buffers_scattered_by_other_seeds_are_others() -> None:
    def key_of(seed: int | None) -> str:
        return plan_runs([replace(CAPTURE, placement_seed=seed)], {})[0].session

    assert len({key_of(seed) for seed in (None, 0, 1)}) == 3
