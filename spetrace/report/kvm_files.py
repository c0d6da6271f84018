"""The folder of a report on KVM recordings: kvm.json and kvm.html."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from spetrace.report.atomic import write_text
from spetrace.report.kvm_html import render_kvm_html
from spetrace.report.kvm_json import render_kvm_json
from spetrace.tables.kvm_summary import KvmSummary

HTML: Final = "kvm.html"
JSON: Final = "kvm.json"
FILES: Final = (HTML, JSON)


def save_kvm(summary: KvmSummary, folder: Path) -> None:
    """Write `summary` into `folder`; raises OutputError where the system refuses."""
    write_text(render_kvm_json(summary), folder / JSON)
    write_text(render_kvm_html(summary), folder / HTML)
