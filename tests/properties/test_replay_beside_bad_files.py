"""`spetrace replay` of a damaged session folder, and of a recording with damaged files beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from properties.test_replay_of_bad_input import check, damaged, replay
from replayable_files import ASSUMED, FILES

from spetrace.cli.main import run

SIDE_FILES = {
    "--session": b"""aux_bytes = 65536
placement = "scattered"
placement_seed = 1
[assume_spe]
period_ns = 100
[[vm]]
vcpus = [41]
ram = {ipa = 0x80000000, bytes = 16777216}
[[vm.memslot]]
hva = 0xffff00000000
ipa = 0x80000000
bytes = 16777216
""",
    "--event-map": b"""[[event]]
event = "kvm_unmap_hva_range"
kind = "stage2_unmap"
vm = 0
ipa = 0x80000000
pages = {field = "start", factor = 1}
""",
    "--vmm-maps": b"00400000-00410000 r-xp 00000000 fe:00 350    /usr/bin/lkvm\nffff00000000-ffff01000000 rw-p 00000000 00:00 0\n",
    "--costs": b"vm_exit_ns = 900\nirq_ns = 5\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ingested")
    log = folder / "trace.dat"
    log.write_bytes(FILES["trace.dat v7"])
    assert run(["ingest", str(log), ASSUMED, "-o", str(folder / "session")]) == 0
    return folder / "session"


@pytest.mark.parametrize("name", ["session.json", "events.parquet", "quality.parquet"])
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_damaged_session_folder_is_replayed_or_refused(
    session_folder: Path, name: str, data: st.DataObject
) -> None:
    folder = session_folder.parent / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(session_folder, folder)
    (folder / name).write_bytes(data.draw(damaged((session_folder / name).read_bytes())))
    output = session_folder.parent / "results"
    result = replay([folder, "-o", output])
    check(result, f"{folder / name}" if result.code == 3 else "")
    assert output.exists() == (result.code == 0)
    shutil.rmtree(output, ignore_errors=True)


@pytest.mark.parametrize(
    ("name", "code"), [("session.json", 3), ("events.parquet", 4), ("quality.parquet", 3)]
)
def test_session_folder_without_a_file_is_refused(
    session_folder: Path, tmp_path: Path, name: str, code: int
) -> None:
    """Without an event log it is as that of a KVM recording: there is nothing to replay."""
    shutil.copytree(session_folder, tmp_path / "cut")
    (tmp_path / "cut" / name).unlink()
    result = replay([tmp_path / "cut"])
    assert result.code == code
    assert str(tmp_path / "cut") in result.err


@pytest.mark.parametrize("option", SIDE_FILES)
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_damaged_side_file_is_used_or_refused(
    tmp_path_factory: pytest.TempPathFactory, option: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("side")
    recording, side_file = folder / "trace.txt", folder / "side"
    recording.write_bytes(FILES["ftrace"])
    side_file.write_bytes(data.draw(damaged(SIDE_FILES[option])))
    load = () if option == "--session" else (ASSUMED,)
    ram = ("--ram-base=2G", "--ram-bytes=16M") if option == "--vmm-maps" else ()
    result = replay([recording, f"{option}={side_file}", *load, *ram, "-o", folder / "results"])
    assert result.code in (0, 2, 3, 4), result.err
    if result.code == 3:
        check(result, str(side_file))
    assert (folder / "results").exists() == (result.code == 0)
    shutil.rmtree(folder)


@pytest.mark.parametrize("option", SIDE_FILES)
@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_side_file_that_can_not_be_read_is_named(option: str, kind: str, tmp_path: Path) -> None:
    recording, side_file = tmp_path / "trace.txt", tmp_path / "side"
    recording.write_bytes(FILES["ftrace"])
    if kind == "folder":
        side_file.mkdir()
    ram = ("--ram-base=2G", "--ram-bytes=16M") if option == "--vmm-maps" else ()
    result = replay([recording, ASSUMED, option, side_file, *ram])
    assert result.code == 3
    check(result, str(side_file))
