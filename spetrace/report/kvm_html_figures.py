"""The charts of the report on KVM recordings, as plotly.js takes them; by the table they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from spetrace.report.kvm_sections import between_labels
from spetrace.report.kvm_view import vm_prefix
from spetrace.report.plotly_page import PALETTE, Chart
from spetrace.report.step_points import state_points
from spetrace.report.units import render_time
from spetrace.tables.kvm_summary import (
    FaultRate,
    InferenceCheck,
    KvmSummary,
    Refaults,
    StateSummary,
    VmSummary,
)

_NS: Final = 1e9
_SECONDS: Final = {"title": {"text": "seconds since the recording's start"}}
_BAR: Final = 34


def charts_of(summary: KvmSummary) -> dict[str, list[Chart]]:
    """Per table's title the charts above it."""
    charts: dict[str, list[Chart]] = {}
    start = summary.span_ns[0] if summary.span_ns else 0
    checks = {check.vm: check for check in summary.inference}
    for vm in summary.vms:
        for title, chart in _of_vm(vm, start, checks.get(vm.vm)):
            charts.setdefault(vm_prefix(summary, vm) + title, []).append(chart)
    return charts


def _of_vm(vm: VmSummary, start: int, check: InferenceCheck | None) -> Iterator[tuple[str, Chart]]:
    if vm.exits:
        yield "Exits by class", _exits(vm)
        yield "Time in guest and host", _vcpus(vm)
    if vm.fault_rate:
        yield "Stage-2 faults", _rate(vm.vm, vm.fault_rate, start)
    if vm.refaults and vm.refaults.total:
        yield "Refaults by time unmapped", _between(vm.vm, vm.refaults)
    if vm.state:
        yield "Mapped pages", _state(vm.vm, vm.state, start)
    if check:
        yield "Inference: mapped pages over time", _ways(check, start)


def _exits(vm: VmSummary) -> Chart:
    """Two bars per class: its share of the exits, and of the time that they took."""
    names = [each.name for each in vm.exits][::-1]
    exits = [each.exits for each in vm.exits][::-1]
    times = [each.handled.total_ns / _NS for each in vm.exits][::-1]
    return Chart(
        f"exits-{vm.vm}",
        "Exits by class and the time that handling them took",
        [
            _bars(names, exits, "exits", PALETTE[0], "%{y}: %{x:,} exits<extra></extra>"),
            _bars(
                names, times, "seconds in the host", PALETTE[1], "%{y}: %{x:.3f} s<extra></extra>"
            )
            | {"xaxis": "x2"},
        ],
        {
            "xaxis": {"title": {"text": "exits"}, "domain": [0, 0.47]},
            "xaxis2": {"title": {"text": "seconds"}, "domain": [0.53, 1]},
            "yaxis": {"type": "category"},
            "showlegend": False,
        },
        110 + _BAR * len(names),
    )


def _bars(
    names: list[str], values: list[Any], name: str, colour: str, hover: str
) -> dict[str, Any]:
    return {"type": "bar", "orientation": "h", "y": names, "x": values, "name": name,
            "marker": {"color": colour}, "hovertemplate": hover}  # fmt: skip


def _vcpus(vm: VmSummary) -> Chart:
    names = ["unknown vCPU" if c.vcpu is None else f"vCPU {c.vcpu}" for c in vm.vcpus][::-1]
    parts = (("guest", "guest_ns", 2), ("host", "host_ns", 1), ("unknown", "unknown_ns", 6))
    traces = [
        _bars(names, [getattr(c, field) / _NS for c in vm.vcpus][::-1], name, PALETTE[colour],
              f"%{{y}}: %{{x:.3f}} s {name}<extra></extra>")
        for name, field, colour in parts
        if any(getattr(c, field) for c in vm.vcpus)
    ]  # fmt: skip
    layout = {"barmode": "stack", "xaxis": {"title": {"text": "seconds"}},
              "yaxis": {"type": "category"}}  # fmt: skip
    return Chart(f"vcpus-{vm.vm}", "Time in guest and host per vCPU", traces, layout,
                 160 + _BAR * len(names))  # fmt: skip


def _rate(vm: int, rate: FaultRate, start: int) -> Chart:
    times = [(rate.start_ns + n * rate.bin_ns - start) / _NS for n in range(len(rate.faults))]
    per_second = _NS / rate.bin_ns
    traces = [
        _step(times, [count * per_second for count in counts], name, PALETTE[colour],
              "%{y:,.0f} faults/s at %{x} s")
        for name, counts, colour in (("memory", rate.faults, 0), ("emulated (MMIO)", rate.emulated, 6))
    ]  # fmt: skip
    layout = {"xaxis": _SECONDS, "yaxis": {"title": {"text": "faults per second"}}}
    alt = f"Stage-2 faults per second, in bins of {render_time(rate.bin_ns)}"
    return Chart(f"faults-{vm}", alt, traces, layout)


def _between(vm: int, refaults: Refaults) -> Chart:
    bars = {"type": "bar", "x": between_labels(refaults), "y": list(refaults.histogram),
            "marker": {"color": PALETTE[0]}, "hovertemplate": "%{x}: %{y:,}<extra></extra>"}  # fmt: skip
    layout = {"xaxis": {"type": "category"}, "yaxis": {"title": {"text": "refaults"}}}
    return Chart(f"between-{vm}", "Refaults by the time that the page was unmapped", [bars], layout)


def _state(vm: int, state: StateSummary, start: int) -> Chart:
    times, mapped, writable = _columns(state, start)
    traces = [
        _step(times, mapped, "mapped", PALETTE[0], "%{y:,} pages mapped at %{x} s"),
        _step(times, writable, "writable", PALETTE[1], "%{y:,} pages writable at %{x} s"),
    ]
    return Chart(f"pages-{vm}", "Mapped and writable pages over time", traces, _pages_layout())


def _ways(check: InferenceCheck, start: int) -> Chart:
    """Mapped pages as drawn lines, writable ones dotted, a colour per way."""
    traces = []
    for place, way in enumerate(check.ways):
        times, mapped, writable = _columns(way.state, start)
        colour = PALETTE[place % len(PALETTE)]
        traces.append(_step(times, mapped, f"{way.name}: mapped", colour, "%{y:,} pages at %{x} s"))
        traces.append(
            _step(times, writable, f"{way.name}: writable", colour, "%{y:,} pages at %{x} s", "dot")
        )
    alt = "Mapped and writable pages over time as told by probes and by tracepoints"
    return Chart(f"inference-{check.vm}", alt, traces, _pages_layout(), 440)


def _columns(state: StateSummary, start: int) -> tuple[list[float], list[int], list[int]]:
    points = state_points(state)
    return ([(t - start) / _NS for t, _, _ in points], [m for _, m, _ in points],
            [w for _, _, w in points])  # fmt: skip


def _pages_layout() -> dict[str, Any]:
    return {"xaxis": _SECONDS, "yaxis": {"title": {"text": "pages"}, "rangemode": "tozero"}}


def _step(
    x: list[float], y: list[Any], name: str, colour: str, hover: str, dash: str = "solid"
) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "name": name,
            "line": {"shape": "hv", "color": colour, "width": 1.5, "dash": dash},
            "hovertemplate": hover}  # fmt: skip
