from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.errors import InputError
from spetrace.session.toml_edit import with_integer, with_table


def edited(source: str, value: int = 7) -> str:
    return with_integer(source, ("clock_offset_ns",), value, "session.toml")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "clock_offset_ns = 7\n"),
        ("# mine\ncntvoff = 1\n", "clock_offset_ns = 7\n# mine\ncntvoff = 1\n"),
        ("clock_offset_ns = -12  # by hand\n", "clock_offset_ns = 7  # by hand\n"),
        ("a = 1\n clock_offset_ns=+1_000\nb = 2", "a = 1\n clock_offset_ns=7\nb = 2"),
        ("clock_offset_ns = 0x10\r\n", "clock_offset_ns = 7\r\n"),
        (
            "[[vm]]\nclock_offset_ns = 3\n",
            "clock_offset_ns = 7\n[[vm]]\nclock_offset_ns = 3\n",
        ),
        (
            'text = """\nclock_offset_ns = 1\n"""\nclock_offset_ns = 2\n',
            'text = """\nclock_offset_ns = 1\n"""\nclock_offset_ns = 7\n',
        ),
    ],
)
def test_only_the_key_changes(before: str, after: str) -> None:
    assert edited(before) == after


def test_what_cannot_be_edited_is_an_error() -> None:
    with pytest.raises(InputError, match="write clock_offset_ns = 7 into it"):
        edited('"clock_offset_ns" = 2\n')
    with pytest.raises(InputError, match=r"session\.toml: "):
        edited("clock_offset_ns = = 2\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[[vm]]\npid = 3\n[[vm]]\n", "[[vm]]\npid = 3\n[[vm]]\nkey = 7\n"),
        ("[[vm]]\n[[ vm ]]  # two", "[[vm]]\n[[ vm ]]  # two\nkey = 7\n"),
        ("key = 1\n[[vm]]\nkey = 2\n[[vm]]\nkey=3\n", "key = 1\n[[vm]]\nkey = 2\n[[vm]]\nkey=7\n"),
        (
            "[[vm]]\n[[vm.stream]]\nfile = 'a'\n[[vm]]\n[[vm.stream]]\nfile = 'b'\n",
            "[[vm]]\n[[vm.stream]]\nfile = 'a'\n[[vm]]\nkey = 7\n[[vm.stream]]\nfile = 'b'\n",
        ),
    ],
)
def test_key_of_a_table_changes(before: str, after: str) -> None:
    assert with_integer(before, ("vm", 1, "key"), 7, "session.toml") == after


def test_key_of_inline_tables_is_an_error() -> None:
    with pytest.raises(InputError, match=r"write key = 7 into vm\[0\]"):
        with_integer("vm = [{pid = 3}]\n", ("vm", 0, "key"), 7, "session.toml")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[[vm]]\nvm = 1\n"),
        ("a = 1", "a = 1\n\n[[vm]]\nvm = 1\n"),
        ("[[vm]]\npid = 2\n", "[[vm]]\npid = 2\n\n[[vm]]\nvm = 1\n"),
    ],
)
def test_table_is_added_at_the_end(before: str, after: str) -> None:
    assert with_table(before, "vm", {"vm": 1}, "session.toml") == after


@pytest.mark.parametrize("source", ["vm = [{pid = 3}]\n", "vm = 5\n"])
def test_table_that_cannot_be_added_is_an_error(source: str) -> None:
    with pytest.raises(InputError, match=r"\[\[vm\]\] can't be added"):
        with_table(source, "vm", {"vm": 1}, "session.toml")


@settings(deadline=None, max_examples=100)
@given(
    st.text("ab=#[]\"'\n 1", max_size=40),
    st.one_of(st.none(), st.integers(-(2**60), 2**60)),
    st.integers(-(2**60), 2**60),
)
def test_any_text_is_edited_or_refused(rest: str, old: int | None, new: int) -> None:
    source = rest if old is None else f"clock_offset_ns = {old}\n{rest}"
    try:
        found = tomllib.loads(edited(source, new))
    except InputError:
        return
    assert found == {**tomllib.loads(source), "clock_offset_ns": new}
