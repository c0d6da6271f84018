"""Tables of tracepoints over several inputs, whole and in pieces."""

from __future__ import annotations

import pyarrow as pa
import pytest
from session_recordings import event, host, whole_session

from spetrace.session.options import SessionOptions
from spetrace.tables.session import pieces_of


@pytest.fixture(scope="module")
def tables():
    first = host([event("kvm_entry", 5, vcpu_pc=1), event("sched_switch", 6, pid=3, prev=9)])
    second = host([event("kvm_entry", 7, more=2), event("kvm_exit", 8)], name="other.dat")
    return whole_session([first, second], SessionOptions()).tracepoints


def test_table_has_the_fields_of_all_inputs(tables) -> None:
    assert list(tables) == ["kvm_entry", "sched_switch", "kvm_exit"]
    rows = tables["kvm_entry"].select(["source", "time_ns", "vcpu_pc", "more"]).to_pylist()
    assert rows == [
        {"source": 0, "time_ns": 5, "vcpu_pc": 1, "more": None},
        {"source": 1, "time_ns": 7, "vcpu_pc": None, "more": 2},
    ]


def test_pieces_make_the_tables(tables) -> None:
    pieces: dict[str, list[pa.Table]] = {}
    for name, piece in pieces_of(tables):
        pieces.setdefault(name, []).append(piece)
    assert len(pieces["kvm_entry"]) == 2
    for name, table in tables.items():
        assert pa.concat_tables(pieces[name]).to_pylist() == table.to_pylist()


def test_absent_tracepoint_is_none(tables) -> None:
    assert "kvm_mmio" not in tables
    with pytest.raises(KeyError):
        tables["kvm_mmio"]


def test_pieces_of_plain_tables_are_the_tables() -> None:
    table = pa.table({"n": [1]})
    assert list(pieces_of({"a": table})) == [("a", table)]
