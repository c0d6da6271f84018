from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.errors import InputError
from spetrace.session.event_map import (
    MORE,
    MORE_OF_PROBES,
    NEEDED,
    PROBES,
    MappedEvent,
    Source,
    parse_event_map,
    read_event_map,
)
from spetrace.tables.events import CAUSES, KINDS, REGISTERS

SYSREG = '[[event]]\nevent = "e"\nkind = "sysreg_write"\nreg = "PMSCR_EL1"\nvalue = "v"\n'
MAP = '[[event]]\nevent = "e"\nkind = "stage1_map"\nva = "a"\nipa = "i"\npages = 1\n'


def test_every_kind_of_the_event_log_can_be_mapped() -> None:
    assert tuple(NEEDED) == KINDS
    assert not (MORE.keys() - NEEDED) | (MORE_OF_PROBES.keys() - PROBES)


def test_a_field_a_constant_and_a_table_of_values() -> None:
    (event,) = parse_event_map(
        """
        [[event]]
        event = "spe_sysreg"
        kind = "sysreg_write"
        reg = {field = "id", values = {0x10 = "PMBPTR_EL1", pmscr = "PMSCR_EL1"}}
        value = "val"
        vcpu = 3
        where = {write = true, mode = ["emulated", "direct"]}
        """
    )
    registers = {"0x10": REGISTERS.index("PMBPTR_EL1"), "pmscr": REGISTERS.index("PMSCR_EL1")}
    assert event == MappedEvent(
        "spe_sysreg",
        "sysreg_write",
        {
            "reg": Source(field="id", values=registers),
            "value": Source(field="val"),
            "vcpu": Source(constant=3),
        },
        {"write": (1,), "mode": ("emulated", "direct")},
    )
    assert event.fields == {"id": "reg", "val": "value", "write": "where", "mode": "where"}


def test_a_name_is_a_constant_and_other_text_a_field() -> None:
    text = '[[event]]\nevent = "e"\nkind = "stage2_unmap"\nipa = "swap"\npages = 1\ncause = {}\n'
    (named,) = parse_event_map(text.format('"swap"'))
    assert named.columns["cause"] == Source(constant=CAUSES.index("swap"))
    assert named.columns["ipa"] == Source(field="swap")
    (field,) = parse_event_map(text.format('"why"'))
    assert field.columns["cause"].field == "why"
    assert field.columns["cause"].values == {name: n for n, name in enumerate(CAUSES)}


def test_events_are_the_hosts_unless_the_map_says_the_guests() -> None:
    (of_host, of_guest) = parse_event_map(MAP + MAP + 'recorded = "guest"\n')
    assert (of_host.in_guest, of_guest.in_guest) == (False, True)
    assert of_guest.place == "event[1]"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "holds no [[event]]"),
        ("event = 1", "holds no [[event]]"),
        ("events = []", "events: no such key; there is [[event]]"),
        ("[[event]]\nkind = 'eret'", "event[0].event: is missing or no text"),
        ("[[event]]\nevent = 'e'", "event[0].kind: is missing or no text"),
        ("[[event]]\nevent = 'e'\nkind = 'tea'", "event[0].kind: 'tea' is none of sysreg_write, "),
        ("[[event]]\nevent = 'e'\nkind = 'eret'", "event[0].to_el: is missing; kind eret needs it"),
        (MAP + "size = 1", "event[0].size: no such key for stage1_map; there are event, kind, "),
        (MAP + "vm = -1", "event[0].vm: -1 is no integer from 0 to 2^64 - 1"),
        (MAP + "vm = []", "event[0].vm: [] is no integer from 0 to 2^64 - 1"),
        (MAP + "vm = {fields = 'x'}", "event[0].vm.fields: no such key; there are field, values"),
        (MAP + "vm = {factor = 2}", "event[0].vm.field: is missing or no text"),
        (MAP + "vm = {field = 'x', factor = 0}", "event[0].vm.factor: 0 is no integer from 1"),
        (MAP + "vm = {field = 'x', unit = 'bytes'}", "event[0].vm.unit: 'bytes' is not for vm"),
        (MAP + "vm = {field = 'x', values = {}}", "event[0].vm.values: is no table of values"),
        (MAP.replace("pages = 1", "pages = {field = 'n', unit = 'KiB'}"), "not bytes or pages"),
        (SYSREG.replace('"PMSCR_EL1"', "3"), "event[0].reg: 3 is none of PMBPTR_EL1, "),
        (
            SYSREG.replace('"PMSCR_EL1"', "{field = 'r', values = {0 = 'TEA_EL1'}}"),
            "event[0].reg.values.0: 'TEA_EL1' is none of PMBPTR_EL1, ",
        ),
        (MAP + "where = 3", "event[0].where: is no table of fields and their values"),
        (MAP + "where = {a = 1.5}", "event[0].where.a: 1.5 is no integer, text or list of them"),
        (MAP + "where = {a = []}", "event[0].where.a: [] is no integer, text or list of them"),
        (MAP + "recorded = 'moon'", "event[0].recorded: 'moon' is not host or guest"),
        (
            "[[event]]\nevent = 'e'\nkind = 's2_relax'\npgt = 'p'\nipa = 'i'\nprot = 'r'\n"
            "recorded = 'guest'",
            "event[0].recorded: 'guest' is not host",
        ),
        ("[[event]\n", "Expected"),
    ],
)
def test_bad_map_is_an_error_with_its_key(text: str, cause: str) -> None:
    with pytest.raises(InputError, match=re.escape(cause)):
        parse_event_map(text)


def test_bad_file_is_named(tmp_path) -> None:
    (tmp_path / "map.toml").write_text("event = []")
    with pytest.raises(InputError, match=r"map\.toml: event map: holds no \[\[event\]\]"):
        read_event_map(tmp_path / "map.toml")


VALUES = st.recursive(
    st.one_of(st.integers(-2, 3), st.booleans(), st.sampled_from(["f", "swap", "PMSCR_EL1", ""])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["field", "values", "factor", "unit", "0"]), inner, max_size=3
        ),
    ),
    max_leaves=4,
)
KEYS = ["event", "reg", "value", "va", "ipa", "pages", "size", "where", "recorded", "vm", "to_el"]


@settings(deadline=None, max_examples=150)
@given(st.sampled_from([*NEEDED, *PROBES]), st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_any_map_is_read_or_refused(kind: str, values: dict) -> None:
    text = "".join(f"{key} = {toml(value)}\n" for key, value in values.items())
    text = f'[[event]]\nkind = "{kind}"\n{text}'
    tomllib.loads(text)
    try:
        (event,) = parse_event_map(text)
    except InputError:
        return
    assert set(NEEDED.get(kind, PROBES.get(kind))) <= set(event.columns)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value).lower()
