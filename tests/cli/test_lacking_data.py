"""Inputs that are readable, but lack what a command is about: code 4 from every command."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.command import SAMPLES, Command

KVM = SAMPLES / "kvm-known-pages" / "trace.dat"
SPE = SAMPLES / "spe-neoverse-n1" / "spe.perf.data"


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("replay", KVM), "hold no SPE data"),
        (("sweep", KVM, "-o", "out"), "hold no SPE data"),
        (("profile", KVM), "holds no SPE data"),
        (("dump", KVM), "holds no SPE data"),
        (("kvm", SPE), "hold no kvm_exit"),
        (("costs", SPE), "hold no kvm_exit"),
        (("align", SPE, KVM), "holds no kvm_entry or kvm_exit"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_input_without_the_data_is_code_4(
    spetrace: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str | Path, ...],
    cause: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = spetrace(*words)
    assert (result.code, result.out, result.err.count("\n")) == (4, "", 1)
    assert cause in result.err


def test_session_folder_without_an_event_log_is_code_4(spetrace: Command, tmp_path: Path) -> None:
    folder = tmp_path / "session"
    assert spetrace("ingest", KVM, "-o", folder).code == 0
    for words in (("replay", folder), ("sweep", folder, "-o", tmp_path / "out")):
        result = spetrace(*words)
        assert (result.code, result.out) == (4, "")
        assert "session: nothing to replay: holds no events.parquet" in result.err
