"""`spetrace replay` of any file: what it holds, or one sentence that names it, and nothing left behind."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from cli.command import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from replayable_files import ASSUMED, FILES, JSON_LINES

from spetrace.cli.main import run

SECONDS_MAX = 20
EVERY_FORMAT = pytest.mark.parametrize("form", FILES)
HUGE = st.sampled_from([0, 1, 0xFF, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 52, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])  # fmt: skip
SNIPPETS = st.sampled_from(
    [b"\n", b"\xff\xfe", b"9" * 25, b"0x", b"-", b"\0", b"NaN", b"1e99", b" 99999999999.000000: ",
     b'{"kind": "session", "page_size": 16384}\n', b'{"ts": 9223372036854775807, "kind": "exception"}\n']
)  # fmt: skip
WAYS = st.sampled_from([(), ("--stage2-from=tracepoints", "--infer-read-only"), ("--costs=measured",), ("--outcomes",)])  # fmt: skip


def replay(words: Sequence[str | Path]) -> Result:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["replay", *map(str, words)])
    return Result(code, out.getvalue(), err.getvalue())


def check_replay(content: bytes, *words: str | Path, inputs: int = 1) -> Result:
    """Replays a file of this content; whatever is wrong with it, the outcome is as promised."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, output = folder / "input", folder / "new" / "results"
        file.write_bytes(content)
        began = time.monotonic()
        result = replay([*[file] * inputs, "-o", output, *words])
        assert time.monotonic() - began < SECONDS_MAX
        check(result, str(file))
        left = {path.name for path in folder.iterdir()}
        assert left == ({"input"} if result.code else {"input", "new"})
        if not result.code:
            assert (output / "session.json").stat().st_size
        return result


def check(result: Result, named: str) -> None:
    """An exit code of those promised; where it is not 0, one sentence that names the file."""
    assert result.code in (0, 2, 3, 4), result.err
    if result.code == 0:
        assert result.err == ""
        return
    assert result.out == ""
    assert result.err.startswith("spetrace: ")
    assert result.err.endswith("\n")
    assert result.err.count("\n") == 1
    if result.code == 3:
        assert result.err.startswith(f"spetrace: {named}: ")
        assert len(result.err.split(": ")) > 3, "structure and cause"


def load(form: str) -> tuple[str, ...]:
    """An assumed load for what holds neither SPE data nor an event log."""
    has_records = form.startswith("event log") or "SPE" in form
    return () if has_records or form in ("perf.data", "perf.data big endian", "perf.data pipe") else (ASSUMED,)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The content cut short, or with bytes flipped, integers made huge, parts doubled or left out."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["cut", "byte", "word", "long", "double", "drop", "insert"])):
            case "cut":
                del data[at:]
            case "byte":
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "word":
                data[at : at + 4] = (draw(HUGE) & 0xFFFFFFFF).to_bytes(4, draw(st.sampled_from(["little", "big"])))  # fmt: skip
            case "long":
                data[at : at + 8] = draw(HUGE).to_bytes(8, draw(st.sampled_from(["little", "big"])))
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 60))]
            case "drop":
                del data[at : at + draw(st.integers(1, 60))]
            case "insert":
                data[at:at] = draw(SNIPPETS)
    return bytes(data)


@EVERY_FORMAT
def test_whole_file_is_replayed(form: str) -> None:
    assert check_replay(FILES[form], *load(form)).code == 0


@EVERY_FORMAT
def test_file_given_twice_is_no_defect(form: str) -> None:
    check_replay(FILES[form], *load(form), inputs=2)


@EVERY_FORMAT
@settings(deadline=None, max_examples=6)
@given(data=st.data())
def test_damaged_file_is_replayed_or_refused(form: str, data: st.DataObject) -> None:
    check_replay(data.draw(damaged(FILES[form])), *load(form), *data.draw(WAYS))


@EVERY_FORMAT
def test_file_cut_at_any_place_is_replayed_or_refused(form: str) -> None:
    content = FILES[form]
    for size in {0, 8, len(content) - 1, *range(0, len(content), len(content) // 3)}:
        check_replay(content[:size], *load(form))


@settings(deadline=None, max_examples=20)
@given(
    magic=st.sampled_from([b"", b"PERFILE2", b"2ELIFREP", b"\x17\x08\x44tracing6\0", b"\x17\x08\x44tracing7\0",
                           b"PAR1", b"ARROW1\0\0", b"{", b"# tracer: nop\n", b"cpus=2\n", b"\x1f\x8b", b"\xef\xbb\xbf"]),
    tail=st.binary(max_size=200),
)  # fmt: skip
def test_any_bytes_behind_a_magic_are_replayed_or_refused(magic: bytes, tail: bytes) -> None:
    check_replay(magic + tail)


@settings(deadline=None, max_examples=15)
@given(times=st.lists(st.one_of(HUGE, HUGE.map(lambda n: -n)), min_size=1, max_size=4))
def test_absurd_times_in_an_event_log_are_replayed_or_refused(times: list[int]) -> None:
    lines = [f'{{"ts": {ts}, "kind": "spe_record", "bytes": 64}}\n' for ts in times]
    check_replay(JSON_LINES + "".join(lines).encode())


@settings(deadline=None, max_examples=15)
@given(first=HUGE, last=HUGE)
def test_absurd_times_of_a_host_are_replayed_or_refused(first: int, last: int) -> None:
    line = "      kvm-vcpu-0-41      [000] d..1. {:d}.000000: {}: PC: 0x{:016x}\n"
    events = ((first, "kvm_entry"), (last, "kvm_exit"), (first, "kvm_entry"))
    text = "# tracer: nop\n#\n" + "".join(line.format(ts, name, 0) for ts, name in events)
    check_replay(text.encode(), "--assume-spe=period_ns=1000000000")


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ('{"kind": "session", "page_size": 16384}', 3),
        ('{"kind": "session", "initial_stage2": "maybe"}', 3),
        ('{"ts": 5, "kind": "exception", "vm": 65536}', 3),
        ('{"ts": 5, "kind": "exception", "vcpu": -1}', 3),
        ('{"ts": 5, "kind": "exception", "vm": 65535, "vcpu": 65535}', 0),
        ('{"ts": 5, "kind": "stage2_map", "ipa": 0, "pages": 1099511627776}', 0),
        ('{"ts": 5, "kind": "stage2_map", "ipa": 0, "pages": 9007199254740993}', 3),
        ('{"ts": 5, "kind": "exception"} trailing', 3),
        ('{"ts": 5, "kind": "exception", "note": "\ud800"}', 3),
    ],
)  # fmt: skip
def test_contradiction_in_an_event_log_is_named(second: str, code: int) -> None:
    lines = JSON_LINES.splitlines(keepends=True)
    content = b"".join([*lines[:3], second.encode("utf-8", "surrogatepass"), b"\n", *lines[3:]])
    result = check_replay(content)
    assert result.code == code, result.err
    if code:
        assert "line 4" in result.err or second.startswith('{"kind": "session", "initial')


@pytest.mark.parametrize("kind", ["missing", "folder", "device", "unreadable", "loop"])
def test_path_that_is_no_readable_file_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "input"
    if kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "unreadable":
        path.write_bytes(JSON_LINES)
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("may read everything")
    result = replay([path, "-o", tmp_path / "results"])
    assert result.code == 3
    check(result, str(path))
    assert not (tmp_path / "results").exists()
