"""kvm.json: the summary of KVM recordings, exactly."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from spetrace.report.basis import all_assumptions
from spetrace.report.step_points import state_points
from spetrace.tables.kvm_summary import InferenceWay, KvmSummary, StateSummary, VmSummary
from spetrace.tables.quality import QUALITY

VERSION = 1
_SERIES = ("times_ns", "mapped_pages", "writable_pages")


def render_kvm_json(summary: KvmSummary) -> str:
    """The summary as JSON text; of mapped pages over time the points that a chart shows."""
    report = {
        "version": VERSION,
        "inputs": summary.session.get("inputs", []),
        "machines": summary.session.get("machines", []),
        "assumptions": all_assumptions(summary.session),
        "quality": summary.quality.select(QUALITY.names).to_pylist(),
        "span_ns": summary.span_ns,
        "vms": {str(vm.vm): _vm(vm) for vm in summary.vms},
        "inference": {
            str(check.vm): {way.name: _way(way) for way in check.ways}
            for check in summary.inference
        },
    }
    return json.dumps(report, indent=1) + "\n"


def _vm(vm: VmSummary) -> dict[str, Any]:
    return {
        "exits": [asdict(each) for each in vm.exits],
        "vcpus": [asdict(each) for each in vm.vcpus],
        "faults": [asdict(each) for each in vm.faults],
        "fault_rate": asdict(vm.fault_rate) if vm.fault_rate else None,
        "refaults": asdict(vm.refaults) if vm.refaults else None,
        "state": _state(vm.state) if vm.state else None,
        "registers": [asdict(each) for each in vm.registers],
    }


def _way(way: InferenceWay) -> dict[str, Any]:
    facts = {name: value for name, value in vars(way).items() if name not in ("name", "state")}
    return facts | {"state": _state(way.state)}


def _state(state: StateSummary) -> dict[str, Any]:
    facts = {name: value for name, value in vars(state).items() if name not in _SERIES}
    columns = zip(*state_points(state), strict=True)
    return facts | dict(zip(_SERIES, map(list, columns), strict=True))
