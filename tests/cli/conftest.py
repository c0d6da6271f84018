from __future__ import annotations

from pathlib import Path

import pytest
from cli.command import Command, Result

from spetrace.cli.main import run


@pytest.fixture
def spetrace(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs the command line in this process."""
    monkeypatch.setenv("COLUMNS", "100")

    def command(*words: str | Path) -> Result:
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return command
