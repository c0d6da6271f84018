from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from cli.command import SAMPLES, Command, start

SPE = SAMPLES / "spe-neoverse-n1" / "spe.perf.data"
KVM = SAMPLES / "kvm-known-pages" / "trace.dat"
CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures"
SYNTHETIC = sorted((CAPTURES / "spe-synthetic").glob("*.dump.txt.gz"))
REAL = sorted((CAPTURES / "spe-real" / "expected").glob("*.perf73.txt"))
OF_THE_UNCUT_DATA = "n1-partial.dump.txt.gz"
"""perf's dump of n1-partial is of the bytes before they were cut (see test_spe_dump)."""


def test_dump_of_a_recording(spetrace: Command) -> None:
    result = spetrace("dump", SPE)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == (
        ".  00000000:  b0 a0 b5 e9 c0 aa aa 00 80                      PC 0xaaaac0e9b5a0 el0 ns=1"
    )
    assert sum(" TS " in line for line in lines) == 3124
    assert len(lines) == 36295


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="needs the captures")
@pytest.mark.parametrize(
    "path", [p for p in SYNTHETIC if p.name != OF_THE_UNCUT_DATA], ids=lambda p: p.name
)
def test_dump_of_a_synthetic_capture_is_perfs(path: Path, spetrace: Command) -> None:
    recording = path.with_name(path.name.replace(".dump.txt.gz", ".perf.data"))
    assert spetrace("dump", recording).out == gzip.decompress(path.read_bytes()).decode()


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="needs the captures")
@pytest.mark.parametrize("path", REAL, ids=lambda p: p.name)
def test_dump_of_real_bytes_is_perfs(path: Path, spetrace: Command) -> None:
    name, folder = path.name.removesuffix(".perf73.txt"), CAPTURES / "spe-real"
    expected = path.read_bytes().decode()
    assert spetrace("dump", "--raw-spe", folder / "raw" / name).out == expected
    assert spetrace("dump", folder / "perfdata" / f"{name}.perf.data").out == expected


def test_cpu_headers_offset_and_limit(spetrace: Command) -> None:
    whole = spetrace("dump", SPE, "--cpu", "1").out.splitlines()
    words = ("--cpu", "1", "--headers", "--offset", "0x40", "--limit", "3")
    header, *lines = spetrace("dump", SPE, *words).out.splitlines()
    assert header.startswith(". ... ARM SPE data: size 0x")
    assert header.endswith(" bytes, cpu 1")
    place = next(n for n, line in enumerate(whole) if line.startswith(".  00000040:"))
    assert lines == whole[place : place + 3]
    assert spetrace("dump", SPE, "--limit", "0").out == ""


def test_raw_spe(spetrace: Command, tmp_path: Path) -> None:
    raw = tmp_path / "buffer.bin"
    raw.write_bytes(bytes.fromhex("4900 98 2c00 01 00"))
    result = spetrace("dump", "--raw-spe", raw)
    assert result.code == 0, result.err
    assert [line.split(maxsplit=2)[1] for line in result.out.splitlines()] == [
        "00000000:", "00000002:", "00000005:", "00000006:",
    ]  # fmt: skip
    assert [line[62:] for line in result.out.splitlines()] == ["LD GP-REG", "LAT 44 TOT", "END", "PAD"]  # fmt: skip


def test_what_cannot_be_dumped_is_one_sentence(spetrace: Command, tmp_path: Path) -> None:
    empty = tmp_path / "empty.bin"
    empty.touch()
    for words, code, part in (
        ((KVM,), 4, "trace.dat: the recording holds no SPE data"),
        ((SPE, "--cpu", "7"), 2, "--cpu 7"),
        (("--raw-spe", SPE, "--cpu", "0"), 2, "--raw-spe"),
        (("--raw-spe", empty), 3, "empty.bin: byte 0: file: is empty"),
        ((tmp_path / "none",), 3, "none: file: No such file"),
        ((SPE, "--offset", "x"), 2, "'x'"),
    ):
        result = spetrace("dump", *words)
        assert (result.code, result.out) == (code, "")
        assert part in result.err
        assert result.err.count("\n") == 1


def test_reader_that_goes_away_ends_the_dump(tmp_path: Path) -> None:
    raw = tmp_path / "buffer.bin"
    raw.write_bytes(bytes.fromhex("4900") * 500_000)
    with start("dump", "--raw-spe", raw) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().endswith(" LD GP-REG\n")
        process.stdout.close()
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
