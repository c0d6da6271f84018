"""Parameters: defaults, what wins over what, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from spetrace.errors import UsageError
from spetrace.replay.counters import Counters
from spetrace.replay.parameters import Parameters
from spetrace.tables.results import COUNTERS


def test_session_line_wins_over_defaults_and_flags_over_the_session_line() -> None:
    line = {"memory_bytes": 4096, "costs": {"irq_ns": 7}, "vms": {"1": {"memlock_bytes": 8192}}}
    parameters = Parameters().updated(line)
    assert (parameters.memory_bytes, parameters.costs.irq_ns) == (4096, 7)
    assert parameters.costs.vm_exit_ns == 1000
    assert (parameters.of_vm(0).memlock_bytes, parameters.of_vm(1).memlock_bytes) == (None, 8192)
    flagged = parameters.overridden({"memlock_bytes": None, "costs": {"irq_ns": 9}})
    assert (flagged.of_vm(1).memlock_bytes, flagged.costs.irq_ns) == (None, 9)
    assert flagged.of_vm(1).memory_bytes == 4096


def test_json_form_is_a_session_line() -> None:
    parameters = Parameters().updated({"keep_ns": None, "vms": {"3": {"initial_stage2": "all"}}})
    assert Parameters().updated(parameters.to_json()) == parameters


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"memory": 1}, "memory: no such parameter"),
        ({"memory_bytes": -1}, "memory_bytes: -1 is not an integer"),
        ({"memory_bytes": True}, "memory_bytes: True is not an integer"),
        ({"memory_bytes": None}, "memory_bytes: None is not an integer"),
        ({"memory_bytes": 0}, "memory_bytes: 0 is not an integer from 1 to 9223372036854775807"),
        ({"memlock_bytes": 1 << 63}, "is not an integer from 0 to 9223372036854775807"),
        ({"vms": {"1": {"memory_bytes": 0}}}, "memory_bytes: 0 is not an integer from 1"),
        ({"page_size": 8192}, "page_size: 8192 is not one of"),
        ({"page_size": True}, "page_size: True is not one of"),
        ({"dl_model": "maybe"}, "dl_model: 'maybe' is not one of straddle, always, never"),
        ({"pin_refuses": "swap,fire"}, "pin_refuses: 'fire' is not one of"),
        ({"pin_refuses": ["swap"]}, "is not a comma-separated string"),
        ({"costs": 5}, "costs: 5 is not a table"),
        ({"costs": {"nap_ns": 5}}, "costs.nap_ns: no such cost"),
        ({"costs": {"irq_ns": 1 << 62}}, "is not an integer from 0 to 1000000000000"),
        ({"costs": {"irq_ns": 1.5}}, "costs.irq_ns: 1.5 is not an integer"),
        ({"vms": {"x": {}}}, "vms.x: needs a VM number"),
        ({"vms": {"9" * 5000: {}}}, f"vms.{40 * '9'}: needs a VM number"),
        ({"page_size": 4096.0}, "page_size: 4096.0 is not one of"),
        ({"vms": {"1": {"page_size": 4096}}}, "vms.1.page_size: only memory_bytes"),
        ({"vms": {"1": {"memory_bytes": "much"}}}, "'much' is not an integer"),
    ],
)
def test_wrong_values_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as error:
        Parameters().updated(values)
    assert message in str(error.value)


def test_counters_are_those_of_the_results_table() -> None:
    counters = Counters(*range(len(COUNTERS)))
    assert counters.row() == list(range(len(COUNTERS)))
    counters.add(counters)
    assert counters.row() == [2 * value for value in range(len(COUNTERS))]
