from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spetrace.errors import InputError
from spetrace.session.toml_edit import with_integer


def edited(source: str, value: int = 7) -> str:
    return with_integer(source, "clock_offset_ns", value, "session.toml")


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
