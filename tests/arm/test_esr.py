import numpy as np
import pytest

from spetrace.arm import esr
from spetrace.arm.registers import pmscr


@pytest.mark.parametrize(
    ("value", "exit_class", "kind", "level", "is_write", "walk", "fetch"),
    [
        (0x92000046, "DABT_LOW", "translation", 2, True, False, False),
        (0x9200000F, "DABT_LOW", "permission", 3, False, False, False),
        (0x82000007, "IABT_LOW", "translation", 3, False, False, True),
        (0x93800047, "DABT_LOW", "translation", 3, True, False, False),
        (0x9200000A, "DABT_LOW", "access", 2, False, False, False),
        (0x920000C7, "DABT_LOW", "translation", 3, False, True, False),
        (0x9200008F, "DABT_LOW", "permission", 3, True, True, False),
        (0x82000047, "IABT_LOW", "translation", 3, False, False, True),
        (0x9200002B, "DABT_LOW", "translation", -1, False, False, False),
        (0x92000021, "DABT_LOW", "other", esr.NO_LEVEL, False, False, False),
    ],
)
def test_esr_decodes_an_abort(value, exit_class, kind, level, is_write, walk, fetch) -> None:
    syndrome = np.array([value], np.uint64)
    status = esr.fault_status(syndrome).astype(np.uint8)
    assert esr.EXIT_CLASS_NAMES[int(esr.exception_class(value))] == exit_class
    assert esr.FAULT_KINDS[esr.fault_kind(status)[0]] == kind
    assert esr.fault_level(status)[0] == level
    assert esr.is_write_fault(syndrome)[0] == is_write
    assert bool(esr.on_stage1_walk(value)) == walk
    assert bool(esr.is_fetch(value)) == fetch


def test_esr_classes_of_fault_status_are_those_of_the_kernel() -> None:
    status = np.arange(64, dtype=np.uint8)
    kind = [esr.FAULT_KINDS[k] for k in esr.fault_kind(status)]
    by_kind = {k: [s for s in range(64) if kind[s] == k] for k in ("translation", "permission")}
    assert by_kind == {
        "translation": [0x04, 0x05, 0x06, 0x07, 0x2B],
        "permission": [0x0C, 0x0D, 0x0E, 0x0F],
    }


def test_esr_levels_of_external_aborts_on_a_walk() -> None:
    assert esr.fault_level(np.arange(0x13, 0x18, dtype=np.uint8)).tolist() == [-1, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("user", "kernel", "value"), [(False, False, 3), (True, False, 2), (False, True, 1)]
)
def test_pmscr_follows_the_events_exclusions(user: bool, kernel: bool, value: int) -> None:
    assert pmscr(exclude_user=user, exclude_kernel=kernel) == value
