"""What KVM did in a session, as frames of tables and figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spetrace.api.figures import figure
from spetrace.report.kvm_files import FILES, save_kvm
from spetrace.report.kvm_html import render_kvm_html
from spetrace.report.kvm_html_figures import charts_of
from spetrace.report.kvm_json import render_kvm_json
from spetrace.report.plotly_page import Chart
from spetrace.tables.kvm_summary import KvmSummary
from spetrace.workflow.output_folder import output_folder

if TYPE_CHECKING:
    from spetrace.api.figures import Figure


class KvmReport:
    """The summary that `spetrace kvm` shows, VM by VM, and its charts.

    >>> import spetrace
    >>> session = spetrace.open_session("sample_traces/spe-on-kvm/host.dat")
    >>> [(each.name, each.exits) for each in session.kvm.summary.vms[0].exits][:3]
    [('DABT_LOW', 1808), ('IRQ', 1668), ('WFx', 762)]
    """

    def __init__(self, summary: KvmSummary) -> None:
        self.summary = summary

    def plot_exits(self, vm: int = 0) -> Figure:
        """Exits by class, and the time that handling them took."""
        return self._figure(f"exits-{vm}", f"exits of VM {vm}")

    def plot_times(self, vm: int = 0) -> Figure:
        """Each vCPU's time in guest and host."""
        return self._figure(f"vcpus-{vm}", f"vCPU times of VM {vm}")

    def plot_stage2_faults(self, vm: int = 0) -> Figure:
        """Stage-2 faults over time."""
        return self._figure(f"faults-{vm}", f"stage-2 faults of VM {vm}")

    def plot_refaults(self, vm: int = 0) -> Figure:
        """Refaults by the time that the page was unmapped."""
        return self._figure(f"between-{vm}", f"refaults of VM {vm}")

    def plot_mapped_pages(self, vm: int = 0) -> Figure:
        """Mapped and writable pages over time."""
        return self._figure(f"pages-{vm}", f"mapped pages of VM {vm}")

    def report_html(self) -> str:
        """kvm.html."""
        return render_kvm_html(self.summary)

    def report_json(self) -> str:
        """kvm.json."""
        return render_kvm_json(self.summary)

    def save(self, folder: str | Path) -> None:
        """Write kvm.html and kvm.json into `folder`; raises OutputError where the system refuses."""
        with output_folder(Path(folder), FILES) as made:
            save_kvm(self.summary, made)

    def _figure(self, name: str, what: str) -> Figure:
        return figure(next((c for c in self._charts() if c.name == name), None), what)

    def _charts(self) -> Iterator[Chart]:
        for charts in charts_of(self.summary).values():
            yield from charts
