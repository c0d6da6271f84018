"""Operations: every row of the operation type tables, and expressions that equal the functions."""

from __future__ import annotations

import polars as pl
import pytest

from spetrace import arm
from spetrace.arm import operation_expressions

OTHER, LOAD_STORE, BRANCH, UNASSIGNED = range(4)

# Class, payload, name, and the fields that are not False or None besides load, store and branch.
ROWS = [
    (OTHER, 0x00, "OTHER INSN-OTHER", {}),
    (OTHER, 0x01, "OTHER COND-SELECT", {"conditional": True}),
    (OTHER, 0x02, "OTHER FP INSN-OTHER", {"floating_point": True}),
    (OTHER, 0x04, "OTHER ASE INSN-OTHER", {"advanced_simd": True}),
    (OTHER, 0x07, "OTHER ASE FP COND-SELECT",
     {"advanced_simd": True, "floating_point": True, "conditional": True}),
    (OTHER, 0x08, "SVE-OTHER EVLEN 32", {"evlen_bits": 32}),
    (OTHER, 0x1E, "SVE-OTHER EVLEN 64 FP PRED",
     {"evlen_bits": 64, "floating_point": True, "predicated": True}),
    (OTHER, 0x7A, "SVE-OTHER EVLEN 4096 FP", {"evlen_bits": 4096, "floating_point": True}),
    (OTHER, 0x4C, "SVE-OTHER EVLEN 512 PRED", {"evlen_bits": 512, "predicated": True}),
    (OTHER, 0x88, "SME-OTHER ETS 128", {"ets_bits": 128}),
    (OTHER, 0x8A, "SME-OTHER ETS 128 FP", {"ets_bits": 128, "floating_point": True}),
    (OTHER, 0x9E, "SME-OTHER ETS 1024 FP", {"ets_bits": 1024, "floating_point": True}),
    (OTHER, 0xFC, "SME-OTHER ETS 4194304", {"ets_bits": 128 << 15}),
    (OTHER, 0x10, None, {}),
    (OTHER, 0x09, None, {}),
    (OTHER, 0x80, None, {}),
    (LOAD_STORE, 0x00, "LD GP-REG", {}),
    (LOAD_STORE, 0x01, "ST GP-REG", {}),
    (LOAD_STORE, 0x02, "LD", {}),
    (LOAD_STORE, 0x06, "LD AT", {"atomic": True}),
    (LOAD_STORE, 0x0B, "ST EXCL", {"exclusive": True}),
    (LOAD_STORE, 0x12, "LD AR", {"acquire_release": True}),
    (LOAD_STORE, 0x1E, "LD AT EXCL AR",
     {"atomic": True, "exclusive": True, "acquire_release": True}),
    (LOAD_STORE, 0x04, "LD SIMD-FP", {}),
    (LOAD_STORE, 0x05, "ST SIMD-FP", {}),
    (LOAD_STORE, 0x10, "LD UNSPEC-REG", {}),
    (LOAD_STORE, 0x11, "ST UNSPEC-REG", {}),
    (LOAD_STORE, 0x14, "LD MTE-TAG", {}),
    (LOAD_STORE, 0x15, "ST MTE-TAG", {}),
    (LOAD_STORE, 0x20, "LD MEMCPY", {}),
    (LOAD_STORE, 0x21, "ST MEMCPY", {}),
    (LOAD_STORE, 0x25, "ST MEMSET", {}),
    (LOAD_STORE, 0x24, "LD", {}),
    (LOAD_STORE, 0x30, "LD NV-SYSREG", {}),
    (LOAD_STORE, 0x31, "ST NV-SYSREG", {}),
    (LOAD_STORE, 0x08, "LD SVE-SME-REG EVLEN 32", {"evlen_bits": 32}),
    (LOAD_STORE, 0x1D, "ST SVE-SME-REG EVLEN 64 PRED", {"evlen_bits": 64, "predicated": True}),
    (LOAD_STORE, 0x9C, "LD SVE-SME-REG EVLEN 64 PRED SG",
     {"evlen_bits": 64, "predicated": True, "gather_scatter": True}),
    (LOAD_STORE, 0xF9, "ST SVE-SME-REG EVLEN 4096 SG", {"evlen_bits": 4096, "gather_scatter": True}),
    (LOAD_STORE, 0x40, "LD GCS", {"guarded_control_stack": True}),
    (LOAD_STORE, 0x41, "ST GCS", {"guarded_control_stack": True}),
    (LOAD_STORE, 0x44, "LD GCS COMM", {"guarded_control_stack": True, "gcs_common": True}),
    (LOAD_STORE, 0x60, "LD", {}),
    (BRANCH, 0x00, "B", {}),
    (BRANCH, 0x01, "B COND", {"conditional": True}),
    (BRANCH, 0x02, "B IND", {"indirect": True}),
    (BRANCH, 0x03, "B COND IND", {"conditional": True, "indirect": True}),
    (BRANCH, 0x04, "B GCS", {"guarded_control_stack": True}),
    (BRANCH, 0x0A, "B IND CR-BL", {"indirect": True, "call": True}),
    (BRANCH, 0x12, "B IND CR-RET", {"indirect": True, "procedure_return": True}),
    (BRANCH, 0x1A, "B IND CR-NON-BL-RET", {"indirect": True}),
]  # fmt: skip
FIELD = {
    arm.is_load: "load",
    arm.is_store: "store",
    arm.is_branch: "branch",
    arm.is_atomic: "atomic",
    arm.is_exclusive: "exclusive",
    arm.is_acquire_release: "acquire_release",
    arm.is_predicated: "predicated",
    arm.is_gather_scatter: "gather_scatter",
    arm.is_floating_point: "floating_point",
    arm.is_conditional: "conditional",
    arm.is_indirect: "indirect",
    arm.is_call: "call",
    arm.is_return: "procedure_return",
    arm.evlen_bits: "evlen_bits",
    arm.operation_named: "name",
}
ALL_CODES = [(c, payload) for c in range(4) for payload in range(256)]
NULLS = [(None, 0), (1, None), (None, None)]
COLUMNS = {"operation_class": pl.UInt8, "operation_payload": pl.UInt8}


@pytest.mark.parametrize(("operation_class", "payload", "name", "fields"), ROWS)
def test_operation_is_what_its_table_row_says(
    operation_class: int, payload: int, name: str | None, fields: dict[str, object]
) -> None:
    operation = arm.decode_operation(operation_class, payload)
    assert operation is not None
    assert operation.name == arm.operation_name(operation_class, payload) == name
    described = {
        f: getattr(operation, f)
        for f in arm.Operation.__dataclass_fields__
        if f not in ("operation_class", "kind", "name")
        and getattr(operation, f) not in (False, None)
    }
    store = bool(payload & 1)
    of_class = {LOAD_STORE: {"store" if store else "load": True}, BRANCH: {"branch": True}}
    assert described == of_class.get(operation_class, {}) | fields


def test_unassigned_class_has_no_operation() -> None:
    assert all(arm.decode_operation(UNASSIGNED, payload) is None for payload in range(256))
    assert arm.operation_name(UNASSIGNED, 0) is None


def test_every_payload_but_some_of_class_other_has_a_name() -> None:
    unnamed = [code for code in ALL_CODES if code[0] < 3 and arm.operation_name(*code) is None]
    assert {c for c, _ in unnamed} == {OTHER}
    assert len(unnamed) == 256 - (32 + 32 + 8)


@pytest.mark.parametrize("expression", FIELD, ids=lambda f: f.__name__)
def test_expression_equals_the_function(expression) -> None:
    frame = pl.DataFrame([*ALL_CODES, *NULLS], COLUMNS, orient="row")
    decoded = [arm.decode_operation(*code) for code in ALL_CODES]
    expected = [
        getattr(operation, FIELD[expression]) if operation else None for operation in decoded
    ]
    assert frame.select(x=expression())["x"].to_list() == [*expected, *(None for _ in NULLS)]


def test_every_expression_of_operations_is_compared() -> None:
    public = {n for n in arm.__all__ if hasattr(operation_expressions, n)} - {"decode_operation"}
    assert {f.__name__ for f in FIELD} == public - {"Operation"}


def test_expression_takes_other_columns() -> None:
    frame = pl.DataFrame({"c": [1, 2], "p": [1, 1]}, {"c": pl.UInt8, "p": pl.UInt8})
    selected = frame.select(x=arm.is_store(pl.col("c"), pl.col("p")))
    assert selected["x"].to_list() == [True, False]
