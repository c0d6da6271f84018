from __future__ import annotations

import pytest

from spetrace.cli.sweep_options import complete_setting, parse_captures, parse_settings
from spetrace.errors import UsageError
from spetrace.sweep.grid import NAMES, check_settings, count_points, nested, points
from spetrace.workflow.sweep_sessions import CaptureInput


def test_points_are_all_combinations_the_last_parameter_first() -> None:
    grid = {"page_size": [4096, 65536], "costs.irq_ns": [1, 2, 3]}
    found = list(points(grid))
    assert count_points(grid) == len(found) == 6
    assert found[:2] == [{"page_size": 4096, "costs.irq_ns": n} for n in (1, 2)]
    assert nested(found[0]) == {"page_size": 4096, "costs": {"irq_ns": 1}}


def test_no_settings_are_one_point() -> None:
    assert list(points({})) == [{}]


def test_settings_are_spelled_as_the_options_of_replay() -> None:
    texts = [
        "page_size=4K,64K", "memlock_bytes=8M,none", "costs.irq_ns=500,1000", "keep_ns=none,5",
        "dl_model=always", "pin_refuses=swap+ksm,none", "page_size=16384",
    ]  # fmt: skip
    assert parse_settings(texts) == {
        "page_size": [4096, 65536, 16384],
        "memlock_bytes": [8 << 20, None],
        "costs.irq_ns": [500, 1000],
        "keep_ns": [None, 5],
        "dl_model": ["always"],
        "pin_refuses": ["swap,ksm", ""],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("page_sise=4K", "page_sise: no such parameter; did you mean page_size"),
        ("irq_ns=4", "did you mean costs.irq_ns?"),
        ("costs.irk_ns=4", "did you mean costs.irq_ns"),
        ("zzzzzz=4", "there are memory_bytes, page_size"),
        ("page_size", "write NAME=VALUE"),
        ("page_size=5000", "page_size: 5000 is not one of 4096"),
        ("page_size=4K,4096", "4096 is there twice"),
        ("memory_bytes=0", "memory_bytes: 0 is not an integer from 1"),
        ("memory_bytes=none", "memory_bytes: None is not an integer"),
        ("costs.irq_ns=-1", "'-1' is no number of ns"),
        ("dl_model=sometimes", "is not one of straddle, always, never"),
        ("pin_refuses=swap+fire", "'fire' is not one of"),
        ("page_size=", "'' is no size"),
    ],
)
def test_settings_that_cannot_be_are_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError, match="--set") as caught:
        parse_settings([text])
    assert said in str(caught.value)


def test_setting_without_values_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one value"):
        check_settings({"page_size": []})


def test_names_of_parameters_complete() -> None:
    assert complete_setting("costs.i") == ["costs.irq_ns="]
    assert len(complete_setting("")) == len(NAMES)


def test_captures_are_named_as_their_file_or_as_given() -> None:
    assert parse_captures(["a/session/", "s3://b/log.parquet"], ["x=host.dat,session.toml"]) == [
        CaptureInput("session", ("a/session/",)),
        CaptureInput("log", ("s3://b/log.parquet",)),
        CaptureInput("x", ("host.dat", "session.toml")),
    ]
    for group in ("host.dat", "=host.dat", "x=", "a/b=host.dat"):
        with pytest.raises(UsageError, match="write NAME=FILE"):
            parse_captures([], [group])
