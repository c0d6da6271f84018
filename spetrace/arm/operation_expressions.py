"""Operations as polars expressions over table spe_records; null (and class 3) gives null.

Each takes the columns of the operation type packet's class and payload.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import polars as pl

from spetrace.arm.operation import Operation, decode_operation
from spetrace.arm.spe_packets import OperationClass

CLASS = pl.col("operation_class")
PAYLOAD = pl.col("operation_payload")


def operation_named(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """The name of each row's operation, `spetrace.arm.operation_name`."""
    return _mapped(lambda op: op.name, pl.String(), operation_class, payload)


def is_load(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a load; an atomic is what bit 0 of its payload says."""
    return _is("load", operation_class, payload)


def is_store(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a store; an atomic is what bit 0 of its payload says."""
    return _is("store", operation_class, payload)


def is_branch(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a branch or an exception return."""
    return _is("branch", operation_class, payload)


def is_atomic(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is an atomic load or store."""
    return _is("atomic", operation_class, payload)


def is_exclusive(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a load or store exclusive."""
    return _is("exclusive", operation_class, payload)


def is_acquire_release(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a load acquire or a store release."""
    return _is("acquire_release", operation_class, payload)


def is_predicated(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a predicated SVE operation."""
    return _is("predicated", operation_class, payload)


def is_gather_scatter(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a gather load or a scatter store."""
    return _is("gather_scatter", operation_class, payload)


def is_floating_point(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a floating-point operation other than a load or store."""
    return _is("floating_point", operation_class, payload)


def is_conditional(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a conditional branch or a conditional select."""
    return _is("conditional", operation_class, payload)


def is_indirect(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is an indirect branch."""
    return _is("indirect", operation_class, payload)


def is_call(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a branch with link (told only by CPUs with FEAT_SPE_CRR)."""
    return _is("call", operation_class, payload)


def is_return(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """Whether it is a procedure return (told only by CPUs with FEAT_SPE_CRR)."""
    return _is("procedure_return", operation_class, payload)


def evlen_bits(operation_class: pl.Expr = CLASS, payload: pl.Expr = PAYLOAD) -> pl.Expr:
    """SVE effective vector length in bits; null for other operations."""
    return _mapped(lambda op: op.evlen_bits, pl.UInt16(), operation_class, payload)


@cache
def _operations() -> dict[int, Operation]:
    """Every operation by its class in bits 15:8 and its payload below."""
    codes = [c << 8 | payload for c in OperationClass for payload in range(256)]
    decoded = {code: decode_operation(code >> 8, code & 0xFF) for code in codes}
    return {code: operation for code, operation in decoded.items() if operation}


def _is(field: str, operation_class: pl.Expr, payload: pl.Expr) -> pl.Expr:
    return _mapped(lambda op: getattr(op, field), pl.Boolean(), operation_class, payload)


def _mapped(
    value: Callable[[Operation], Any],
    dtype: pl.DataType,
    operation_class: pl.Expr,
    payload: pl.Expr,
) -> pl.Expr:
    """What `value` says of each row's operation, looked up by class and payload."""
    code = operation_class.cast(pl.UInt16) * 256 + payload.cast(pl.UInt16)
    codes = pl.Series(list(_operations()), dtype=pl.UInt16)
    values = pl.Series([value(op) for op in _operations().values()], dtype=dtype)
    return code.replace_strict(codes, values, default=None, return_dtype=dtype)
