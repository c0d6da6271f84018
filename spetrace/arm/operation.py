"""Operation type of an SPE record: what its class and payload say.

Sources: Arm ARM (DDI 0487), "Operation Type packet"; Linux 6.19
tools/perf/util/arm-spe-decoder/arm-spe-pkt-decoder.[ch], whose words for `perf report -D` the names
are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from spetrace.arm.spe_packets import OPERATION_STORE, OperationClass


class PayloadPattern(NamedTuple):
    """Payloads of one kind of operation: those that equal `value` under `mask`."""

    mask: int
    value: int
    kind: str


class PayloadBit(NamedTuple):
    """A bit of the payload: perf's word for it and the field of `Operation` that it sets."""

    mask: int
    word: str
    field: str


OTHER: Final = "OTHER"
SVE_OTHER: Final = "SVE-OTHER"
SME_OTHER: Final = "SME-OTHER"
OTHER_KINDS: Final = (
    PayloadPattern(0x89, 0x08, SVE_OTHER),
    PayloadPattern(0x89, 0x88, SME_OTHER),
    PayloadPattern(0xF8, 0x00, OTHER),
)
"""Kinds of class OTHER; perf has no words for a payload that none matches."""

EXTENDED: Final = "EXTENDED"
SVE_SME_REG: Final = "SVE-SME-REG"
GCS: Final = "GCS"
LOAD_STORE_KINDS: Final = (
    PayloadPattern(0xE2, 0x02, EXTENDED),
    PayloadPattern(0xFE, 0x04, "SIMD-FP"),
    PayloadPattern(0xFE, 0x00, "GP-REG"),
    PayloadPattern(0xFE, 0x10, "UNSPEC-REG"),
    PayloadPattern(0xFE, 0x30, "NV-SYSREG"),
    PayloadPattern(0xFE, 0x14, "MTE-TAG"),
    PayloadPattern(0xFE, 0x20, "MEMCPY"),
    PayloadPattern(0xFF, 0x25, "MEMSET"),
    PayloadPattern(0x0A, 0x08, SVE_SME_REG),
    PayloadPattern(0xFA, 0x40, GCS),
)
"""Kinds of class LOAD_STORE: the first that matches. EXTENDED is an atomic, exclusive or ordered
access, which perf tells by its bits alone."""

BRANCH: Final = "B"

PAYLOAD_BITS: Final = {
    OTHER: (PayloadBit(1 << 2, "ASE", "advanced_simd"), PayloadBit(1 << 1, "FP", "floating_point")),
    SVE_OTHER: (
        PayloadBit(1 << 1, "FP", "floating_point"),
        PayloadBit(1 << 2, "PRED", "predicated"),
    ),
    SME_OTHER: (PayloadBit(1 << 1, "FP", "floating_point"),),
    EXTENDED: (
        PayloadBit(1 << 2, "AT", "atomic"),
        PayloadBit(1 << 3, "EXCL", "exclusive"),
        PayloadBit(1 << 4, "AR", "acquire_release"),
    ),
    SVE_SME_REG: (
        PayloadBit(1 << 2, "PRED", "predicated"),
        PayloadBit(1 << 7, "SG", "gather_scatter"),
    ),
    GCS: (PayloadBit(1 << 2, "COMM", "gcs_common"),),
    BRANCH: (
        PayloadBit(1 << 0, "COND", "conditional"),
        PayloadBit(1 << 1, "IND", "indirect"),
        PayloadBit(1 << 2, "GCS", "guarded_control_stack"),
    ),
}
"""Bits of each kind, in perf's order."""

CONDITIONAL: Final = 1 << 0
"""Payload bit of kind OTHER: a conditional select."""

PROCEDURE_FIELDS: Final = {
    1: ("CR-BL", "call"),
    2: ("CR-RET", "procedure_return"),
    3: ("CR-NON-BL-RET", ""),
}
"""Bits 4:3 of a branch: perf's word, and the field that it sets (none for neither of the two)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation type packet says; a field that the kind doesn't have is False or None."""

    operation_class: OperationClass
    kind: str | None = None
    """One of OTHER_KINDS or LOAD_STORE_KINDS, or BRANCH; None for a payload that none matches."""
    load: bool = False
    store: bool = False
    branch: bool = False
    """A branch or an exception return."""
    atomic: bool = False
    exclusive: bool = False
    acquire_release: bool = False
    predicated: bool = False
    gather_scatter: bool = False
    floating_point: bool = False
    advanced_simd: bool = False
    guarded_control_stack: bool = False
    gcs_common: bool = False
    conditional: bool = False
    """A conditional branch or a conditional select."""
    indirect: bool = False
    call: bool = False
    """A branch with link."""
    procedure_return: bool = False
    evlen_bits: int | None = None
    """SVE: effective vector length."""
    ets_bits: int | None = None
    """SME: effective vector length or tile size."""
    name: str | None = None
    """perf's words, as "LD AT EXCL AR"; None where it has none."""


def decode_operation(operation_class: int, payload: int) -> Operation | None:
    """The operation of an operation type packet; None for the unassigned class 3."""
    match operation_class:
        case OperationClass.OTHER:
            return _other(payload)
        case OperationClass.LOAD_STORE:
            return _load_store(payload)
        case OperationClass.BRANCH:
            return _branch(payload)
    return None


def operation_name(operation_class: int, payload: int) -> str | None:
    """Words of perf for an operation; None where it prints none.

    >>> operation_name(1, 0x1E)
    'LD AT EXCL AR'
    """
    operation = decode_operation(operation_class, payload)
    return operation.name if operation else None


def _kind(patterns: tuple[PayloadPattern, ...], payload: int) -> str | None:
    return next((p.kind for p in patterns if payload & p.mask == p.value), None)


def _set_bits(kind: str | None, payload: int) -> tuple[list[str], dict[str, bool]]:
    """The words and the fields of a kind's bits that are set."""
    bits = [bit for bit in PAYLOAD_BITS.get(kind or "", ()) if payload & bit.mask]
    return [bit.word for bit in bits], {bit.field: True for bit in bits}


def _evlen_bits(payload: int) -> int:
    return 32 << (payload >> 4 & 7)


def _ets_bits(payload: int) -> int:
    return 128 << ((payload >> 4 & 7) << 1 | payload >> 2 & 1)


def _other(payload: int) -> Operation:
    kind = _kind(OTHER_KINDS, payload)
    words, fields = _set_bits(kind, payload)
    evlen = _evlen_bits(payload) if kind == SVE_OTHER else None
    ets = _ets_bits(payload) if kind == SME_OTHER else None
    conditional = kind == OTHER and bool(payload & CONDITIONAL)
    if kind == OTHER:
        words.append("COND-SELECT" if conditional else "INSN-OTHER")
    lengths = _words_if("EVLEN", evlen) + _words_if("ETS", ets)
    return Operation(
        OperationClass.OTHER,
        kind,
        conditional=conditional,
        evlen_bits=evlen,
        ets_bits=ets,
        name=" ".join([kind, *lengths, *words]) if kind else None,
        **fields,
    )


def _load_store(payload: int) -> Operation:
    store = bool(payload & OPERATION_STORE)
    kind = _kind(LOAD_STORE_KINDS, payload)
    words, fields = _set_bits(kind, payload)
    evlen = _evlen_bits(payload) if kind == SVE_SME_REG else None
    kind_words = [kind] if kind and kind != EXTENDED else []
    return Operation(
        OperationClass.LOAD_STORE,
        kind,
        load=not store,
        store=store,
        guarded_control_stack=kind == GCS,
        evlen_bits=evlen,
        name=" ".join(["ST" if store else "LD", *kind_words, *_words_if("EVLEN", evlen), *words]),
        **fields,
    )


def _branch(payload: int) -> Operation:
    words, fields = _set_bits(BRANCH, payload)
    word, field = PROCEDURE_FIELDS.get(payload >> 3 & 3, ("", ""))
    if field:
        fields[field] = True
    return Operation(
        OperationClass.BRANCH,
        BRANCH,
        branch=True,
        name=" ".join([BRANCH, *words, *filter(None, [word])]),
        **fields,
    )


def _words_if(word: str, bits: int | None) -> list[str]:
    return [] if bits is None else [word, str(bits)]
