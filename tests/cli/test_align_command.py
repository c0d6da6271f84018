from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from cli.command import SAMPLES, Command

OFFSET_NS = 93_000_000_000
EXIT = "kvm_exit: IRQ: HSR_EC: 0x0000 (UNKNOWN), PC: 0xffff800080010010"


def host_text() -> str:
    """A vCPU that runs for 300 us and more, and is out for 200 us and more, again and again."""
    lines, time = ["# tracer: nop"], 100_000_000
    for n in range(200):
        lines.append(line(time, "kvm_entry: PC: 0xffff800080010000"))
        time += 300 + n * n % 97
        lines.append(line(time, EXIT))
        time += 200 + n * n * n % 89
    return "\n".join(lines) + "\n"


def guest_text() -> str:
    lines, time = ["# tracer: nop"], 7_000_000
    for n in range(200):
        lines.append(line(time + 2, f"sched_tick: n={n}"))
        lines.append(line(time + 295, f"sched_tick: n={n}"))
        time += 500 + n * n % 97 + n * n * n % 89
    return "\n".join(lines) + "\n"


def line(time_us: int, event: str) -> str:
    seconds, rest = divmod(time_us, 1_000_000)
    return f"  kvm-vcpu-0-3011 [000] ..... {seconds}.{rest:06}: {event}"


@pytest.fixture
def recordings(tmp_path: Path) -> tuple[Path, Path]:
    host, guest = tmp_path / "host.txt", tmp_path / "guest.txt"
    host.write_text(host_text())
    guest.write_text(guest_text())
    return host, guest


def test_offset_is_a_line_of_toml(spetrace: Command, recordings: tuple[Path, Path]) -> None:
    result = spetrace("align", *recordings)
    assert (result.code, result.err) == (0, "")
    found = tomllib.loads(result.out)
    assert list(found) == ["clock_offset_ns"]
    assert abs(found["clock_offset_ns"] - OFFSET_NS) <= 10_000
    assert "400 of 400 guest events (100.00 %)" in result.out
    assert "# +- " in result.out


def test_write_makes_and_updates_session_toml(
    spetrace: Command, recordings: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "session.toml"
    result = spetrace("align", *recordings, "--write", path)
    found = tomllib.loads(result.out)
    assert tomllib.loads(path.read_text()) == found
    path.write_text("cntvoff = 5  # mine\nclock_offset_ns = 1  # old\n[[vm]]\nvm = 0\n")
    assert spetrace("align", *recordings, "--write", path).code == 0
    assert path.read_text() == (
        f"cntvoff = 5  # mine\nclock_offset_ns = {found['clock_offset_ns']}  # old\n[[vm]]\nvm = 0\n"
    )


def two_vms(host: str) -> str:
    """The host's text with a VM of another process, that runs now and then, before it."""
    lines = []
    for time in range(90_000_000, 90_000_900, 100):
        lines.append(line(time, "kvm_entry: PC: 0xffff800080010000"))
        lines.append(line(time + 50, EXIT))
    lines = [text.replace("kvm-vcpu-0-3011", "CPU 0/KVM-4011") for text in lines]
    return "\n".join([host.splitlines()[0], *lines, *host.splitlines()[1:]]) + "\n"


def test_offset_of_one_of_several_vms_is_in_its_table(
    spetrace: Command, recordings: tuple[Path, Path], tmp_path: Path
) -> None:
    host, guest = recordings
    host.write_text(two_vms(host_text()))
    assert "--vm" in spetrace("align", host, guest).err
    path = tmp_path / "session.toml"
    words = ("align", host, guest, "--vm", "1", "--write", path)
    result = spetrace(*words)
    assert result.code == 0, result.err
    found = tomllib.loads(result.out)
    assert list(found) == ["vm"]
    assert found["vm"][0]["vm"] == 1
    assert tomllib.loads(path.read_text()) == found
    offset = found["vm"][0]["clock_offset_ns"]
    assert abs(offset - OFFSET_NS) <= 10_000
    path.write_text("clock_offset_ns = 1\n[[vm]]\n[[vm]]\nmemory_bytes = 4096\n")
    assert spetrace(*words).code == 0
    assert tomllib.loads(path.read_text()) == {
        "clock_offset_ns": 1,
        "vm": [{}, {"clock_offset_ns": offset, "memory_bytes": 4096}],
    }


def test_bad_session_toml_stays_as_it_is(
    spetrace: Command, recordings: tuple[Path, Path], tmp_path: Path
) -> None:
    path = tmp_path / "session.toml"
    path.write_text("clock_offset = 1\n")
    result = spetrace("align", *recordings, "--write", path)
    assert result.code == 3
    assert "clock_offset: no such key" in result.err
    assert path.read_text() == "clock_offset = 1\n"


def test_what_does_not_fit_is_an_error_and_not_written(
    spetrace: Command, recordings: tuple[Path, Path], tmp_path: Path
) -> None:
    host, _guest = recordings
    other = tmp_path / "other.txt"
    other.write_text("# tracer: nop\n" + line(5, "sched_tick: n=0") + "\n")
    result = spetrace("align", host, other, "--write", tmp_path / "session.toml")
    assert result.code == 4
    assert "no offset stands out" in result.err
    assert not (tmp_path / "session.toml").exists()


def test_guest_without_a_host_is_an_error(spetrace: Command, recordings: tuple[Path, Path]) -> None:
    result = spetrace("align", recordings[1], recordings[1])
    assert result.code == 4
    assert "guest.txt: clock alignment: the host's recording holds no kvm_entry" in result.err


def test_report_warns_of_disjoint_spans_with_both(spetrace: Command) -> None:
    folder = SAMPLES / "spe-on-kvm"
    inputs = folder / "guest.perf.data", folder / "host.dat"
    result = spetrace("replay", *inputs, "--clock-offset", "0", "--strategy", "map-on-fault")
    shown = " ".join(result.out.split())
    assert (
        "(guest 280000000421440 to 280005154470160 ns, host 13966279264 to 19550898992 ns)" in shown
    )


def test_offset_that_does_not_stand_out_is_a_comment(
    spetrace: Command, recordings: tuple[Path, Path], tmp_path: Path
) -> None:
    host, guest = recordings
    guest.write_text("\n".join(guest_text().splitlines()[:4]) + "\n")
    path = tmp_path / "session.toml"
    result = spetrace("align", host, guest, "--write", path)
    assert (result.code, "no offset stands out" in result.err) == (4, True)
    assert tomllib.loads(result.out) == {}
    assert "# clock_offset_ns = " in result.out
    assert not path.exists()
