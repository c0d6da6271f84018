"""Format texts: every form of declaration, and what it makes of the bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from spetrace.errors import InputError
from spetrace.ingest.event_format import (
    EventField,
    parse_event_format,
    parse_event_id,
    parse_fields,
)
from spetrace.ingest.field_type import FieldKind, FieldType, Place

INTEGER, BOOL, STRING, LIST, BYTES = FieldKind
FIXED, REST, DATA_LOC, REL_LOC = Place


def field(declaration: str, size: int, signed: str = "signed:0;", long_size: int = 8) -> EventField:
    found = parse_fields(f"\tfield:{declaration};\toffset:8;\tsize:{size};\t{signed}\n", long_size)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("declaration", "size", "signed", "name", "expected"),
    [
        ("int ret", 4, "1", "ret", FieldType(INTEGER, FIXED, 4, True)),
        ("unsigned char common_flags", 1, "0", "common_flags", FieldType(INTEGER, FIXED, 1, False)),
        ("char c", 1, "1", "c", FieldType(INTEGER, FIXED, 1, True)),
        ("s16 x", 2, "1", "x", FieldType(INTEGER, FIXED, 2, True)),
        ("enum foo why", 4, "0", "why", FieldType(INTEGER, FIXED, 4, False)),
        ("unsigned long pc", 8, "0", "pc", FieldType(INTEGER, FIXED, 8, False, widen=True)),
        ("unsigned long pc", 4, "0", "pc", FieldType(INTEGER, FIXED, 4, False, widen=True)),
        ("long x", 4, "1", "x", FieldType(INTEGER, FIXED, 4, True, widen=True)),
        ("gfn_t gfn", 8, "0", "gfn", FieldType(INTEGER, FIXED, 8, False)),
        ("bool valid", 1, "0", "valid", FieldType(BOOL, FIXED, 1, False)),
        ("_Bool valid", 1, "0", "valid", FieldType(BOOL, FIXED, 1, False)),
        ("bool wide", 4, "0", "wide", FieldType(INTEGER, FIXED, 4, False)),
        ("const char * name", 8, "0", "name", FieldType(INTEGER, FIXED, 8, False, widen=True)),
        ("struct kvm_vcpu * vcpu", 8, "1", "vcpu", FieldType(INTEGER, FIXED, 8, False, widen=True)),
        ("int (*fn)(void *)", 8, "0", "fn", FieldType(INTEGER, FIXED, 8, False, widen=True)),
        ("char comm[16]", 16, "0", "comm", FieldType(STRING, FIXED, 1, False)),
        ("char comm[TASK_COMM_LEN]", 16, "1", "comm", FieldType(STRING, FIXED, 1, False)),
        ("char buf[]", 0, "0", "buf", FieldType(STRING, REST, 1, False)),
        ("unsigned char mac[6]", 6, "0", "mac", FieldType(LIST, FIXED, 1, False)),
        ("u64 ctrls[16]", 128, "0", "ctrls", FieldType(LIST, FIXED, 8, False)),
        ("foo_t odd[4]", 8, "1", "odd", FieldType(LIST, FIXED, 2, True)),
        ("int x[NUMBER]", 12, "1", "x", FieldType(LIST, FIXED, 4, True)),
        ("foo_t x[NUMBER]", 12, "1", "x", FieldType(BYTES, FIXED, 1, False)),
        ("u64 odd[3]", 25, "0", "odd", FieldType(BYTES, FIXED, 1, False)),
        (
            "unsigned long caller[8]",
            64,
            "0",
            "caller",
            FieldType(LIST, FIXED, 8, False, widen=True),
        ),
        ("struct in6_addr saddr", 16, "0", "saddr", FieldType(BYTES, FIXED, 1, False)),
        ("int strange", 3, "1", "strange", FieldType(BYTES, FIXED, 1, False)),
        ("__data_loc char[] file", 4, "0", "file", FieldType(STRING, DATA_LOC, 1, False)),
        ("__rel_loc char[] file", 4, "0", "file", FieldType(STRING, REL_LOC, 1, False)),
        ("__rel_loc char file[]", 4, "0", "file", FieldType(STRING, REL_LOC, 1, False)),
        ("__data_loc u8[] buf", 4, "0", "buf", FieldType(LIST, DATA_LOC, 1, False)),
        ("__data_loc int[] buf", 4, "1", "buf", FieldType(LIST, DATA_LOC, 4, True)),
        (
            "__data_loc unsigned long long[] v",
            4,
            "0",
            "v",
            FieldType(LIST, DATA_LOC, 8, False, widen=True),
        ),
        (
            "__data_loc cpumask_t mask",
            4,
            "1",
            "mask",
            FieldType(LIST, DATA_LOC, 8, False, widen=True),
        ),
        ("__data_loc struct foo[] v", 4, "0", "v", FieldType(BYTES, DATA_LOC, 1, False)),
        ("__data_loc char * [] argv", 4, "0", "argv", FieldType(LIST, DATA_LOC, 8, False)),
    ],
)
def test_declaration_gives_name_and_type(
    declaration: str, size: int, signed: str, name: str, expected: FieldType
) -> None:
    found = field(declaration, size, f"signed:{signed};")
    assert (found.name, found.type) == (name, expected)
    assert (found.offset, found.size, found.declaration) == (8, size, declaration)


def test_missing_signed_follows_the_type() -> None:
    declared = ["int a", "unsigned int b", "__u32 c", "pid_t d", "s32 e"]
    assert [field(d, 4, "").type.signed for d in declared] == [True, False, False, True, True]


def test_arrays_of_longs_follow_the_kernel() -> None:
    assert field("__data_loc unsigned long[] v", 4, long_size=4).type.item_bytes == 4
    assert field("__data_loc cpumask_t v", 4, long_size=4).type.item_bytes == 4


def test_blanks_and_special_fields_are_accepted() -> None:
    text = "name: old\nID:  9\nformat:\n  field special: int x ;  offset:0; size:4;\n"
    format_ = parse_event_format(text, "ftrace")
    assert (format_.name, format_.id, format_.system) == ("old", 9, "ftrace")
    assert [(f.name, f.offset, f.size) for f in format_.fields] == [("x", 0, 4)]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("ID: 1\n\tfield:int a;\toffset:0;\tsize:4;\n", "no name"),
        ("name: a\n\tfield:int a;\toffset:0;\tsize:4;\n", "no ID"),
        ("name: a\nID: 1\nformat:\n", "no field"),
        ("name: a\nID: x\nformat:\n\tfield:int a;\toffset:0;\tsize:4;\n", "no ID"),
        ("name: a\nID: 1\n" + "\tfield:int a;\toffset:0;\tsize:4;\n" * 300, "fields"),
        ("name: a\nID: 1\n" + "\tfield:u8 a[64];\toffset:0;\tsize:64;\n" * 9, "overlap"),
    ],
)
def test_text_that_is_no_format_is_an_input_error(text: str, cause: str) -> None:
    with pytest.raises(InputError, match=cause):
        parse_event_format(text)


def test_formats_of_a_real_kernel(shared: Path) -> None:
    folder = shared / "captures" / "kvm" / "00-formats-6.12" / "kvm"
    formats = [parse_event_format(path.read_text()) for path in folder.glob("*.format")]
    assert {f"{f.name}.format" for f in formats} == {path.name for path in folder.glob("*.format")}
    by_name = {f.name: f for f in formats}
    fault = by_name["kvm_guest_fault"]
    assert [(f.name, f.offset) for f in fault.fields] == [
        ("vcpu_pc", 8),
        ("hsr", 16),
        ("hxfar", 24),
        ("ipa", 32),
    ]
    assert fault.fixed_bytes == 40
    assert fault.common_field("common_pid").offset == 4
    assert fault.common_field("common_lock_depth") is None
    assert all(f.type.kind is not BYTES for format_ in formats for f in format_.fields)


def test_event_id_needs_its_line() -> None:
    assert parse_event_id("name: a\nID: 42\n") == 42
    with pytest.raises(InputError, match="no ID"):
        parse_event_id("name: a\n")
