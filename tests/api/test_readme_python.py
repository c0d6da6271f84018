"""The README's Python example runs, on a bundled recording, and gives what it promises."""

from __future__ import annotations

import re
from pathlib import Path

import plotly.graph_objects as go
import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "sample_traces" / "spe-on-kvm"


def test_python_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- python -->\n```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert found
    statements = [line for line in found[1].splitlines() if line and not line.startswith("import")]
    assert len(statements) == 5
    for name in ("guest.perf.data", "host.dat"):
        (tmp_path / name).symlink_to(TRACES / name)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec("import spetrace\n" + "\n".join(statements[:2]), names)
    figure, totals, sources = (eval(line, names) for line in statements[2:])
    assert isinstance(figure, go.Figure)
    assert totals.filter(strategy="bare-metal")["captured"].item() == 3124
    assert isinstance(sources, pl.DataFrame)
    assert sources["len"].sum() == 3124
    assert names["session"].facts["clocks"][0]["how"] == "by the offset given"
