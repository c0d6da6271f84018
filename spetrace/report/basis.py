"""What a comparison rests on: what the recording lost, what was assumed, and what was read."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from spetrace.quality import COUNTERS, Severity
from spetrace.report.units import render_size, render_time
from spetrace.report.wording import printable
from spetrace.tables.run import Run

_SEVERITIES = [severity.value for severity in (Severity.DATA_LOSS, Severity.WARNING, Severity.INFO)]
_STANDING = {
    "costs": "what the model charges; the defaults are assumptions, not measurements",
    "pin_refuses": "causes of unmaps that a pinned page outlives: KVM must filter MMU notifiers so",
}
"""Parameters of the model that every report names as assumptions."""


@dataclass(frozen=True)
class LossLine:
    """One counter of loss or oddity of one input."""

    severity: str
    counter: str
    source: str
    """The input's name, or "session"."""
    count: int
    doc: str
    remedy: str
    detail: str = ""

    @property
    def text(self) -> str:
        """Count, what was counted, and what exactly."""
        text = f"{self.count:,} {self.doc}" if self.doc else f"{self.count:,}"
        return f"{text} ({self.detail})" if self.detail else text


@dataclass(frozen=True)
class AssumptionLine:
    """One choice that the inputs did not settle."""

    name: str
    value: str
    text: str


@dataclass(frozen=True)
class CostLine:
    """One cost of the model and what it rests on; "-" where it was not measured."""

    name: str
    ns: str
    basis: str
    count: str
    p50: str
    p90: str
    p99: str

    HEADINGS: ClassVar = ("cost", "ns", "basis", "n", "p50", "p90", "p99")

    @property
    def cells(self) -> tuple[str, ...]:
        """Under HEADINGS."""
        return (self.name, self.ns, self.basis, self.count, self.p50, self.p90, self.p99)


@dataclass(frozen=True)
class InputLine:
    """One file that was read."""

    name: str
    format: str
    size: str
    sha256: str


def loss_lines(run: Run) -> tuple[LossLine, ...]:
    """The quality table's rows, the gravest first."""
    inputs = run.session.get("inputs", [])
    lines = [_loss_line(row, inputs) for row in run.quality.to_pylist()]
    return tuple(sorted(lines, key=lambda line: _rank(line.severity)))


def cautions(losses: Sequence[LossLine]) -> tuple[str, ...]:
    """A sentence per loss of data that the results inherit."""
    return tuple(
        f"The recording lost data ({loss.counter}, {loss.source}): {loss.text}."
        for loss in losses
        if loss.severity == Severity.DATA_LOSS
    )


def all_assumptions(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The session's assumptions, and those of the model that it does not name itself."""
    given = list(session.get("assumptions", []))
    parameters = session.get("parameters", {})
    named = [str(each.get("name", "")) for each in given]
    standing = [
        {"name": name, "value": _value(parameters[name]), "text": text}
        for name, text in _STANDING.items()
        if name in parameters and not any(each.startswith(name) for each in named)
    ]
    return given + standing


def assumption_lines(session: Mapping[str, Any]) -> tuple[AssumptionLine, ...]:
    """All assumptions, as shown."""
    return tuple(
        AssumptionLine(*(printable(each.get(key, "")) for key in ("name", "value", "text")))
        for each in all_assumptions(session)
    )


def cost_lines(session: Mapping[str, Any]) -> tuple[CostLine, ...]:
    """All costs, where any of them was measured or read from a file; else none."""
    costs = session.get("costs", [])
    if not any(cost.get("basis") in ("measured", "file") for cost in costs):
        return ()
    return tuple(_cost_line(cost) for cost in costs)


def input_lines(session: Mapping[str, Any]) -> tuple[InputLine, ...]:
    """The files that were read."""
    return tuple(_input_line(each) for each in session.get("inputs", []))


def span_ns(session: Mapping[str, Any]) -> int:
    """Time between the first and the last event."""
    first, last = session.get("span_ns") or (0, 0)
    return int(last - first)


def facts(session: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Span, command line, parameters (costs apart, which are assumptions) and versions."""
    command = session.get("command") or ""
    parameters = {k: v for k, v in session.get("parameters", {}).items() if k not in _STANDING}
    lines = {
        "Span": render_time(span) if (span := span_ns(session)) else "",
        "Command": command if isinstance(command, str) else shlex.join(command),
        "Parameters": _pairs(parameters),
        "Versions": _pairs(session.get("versions", {})),
    }
    return tuple((name, printable(value)) for name, value in lines.items() if value)


def _loss_line(row: Mapping[str, Any], inputs: Sequence[Mapping[str, Any]]) -> LossLine:
    source, counter = row["source"], str(row["counter"])
    known = source is not None and source < len(inputs)
    return LossLine(
        printable(row["severity"]),
        printable(counter),
        printable(inputs[source]["name"]) if known else "session",
        int(row["count"]),
        COUNTERS[counter].doc if counter in COUNTERS else "",
        printable(row["remedy"]),
        printable(row.get("detail") or ""),
    )


def _cost_line(cost: Mapping[str, Any]) -> CostLine:
    ns, count = (_counted(cost.get(key)) for key in ("ns", "count"))
    percentiles = (cost.get(key) for key in ("p50_ns", "p90_ns", "p99_ns"))
    times = ("-" if p is None else render_time(int(p)) for p in percentiles)
    return CostLine(
        printable(cost.get("name", "")), ns, printable(cost.get("basis", "")), count, *times
    )


def _counted(value: Any) -> str:
    return "-" if value is None else f"{int(value):,}"


def _rank(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)


def _input_line(about: Mapping[str, Any]) -> InputLine:
    size = about.get("size_bytes")
    return InputLine(
        printable(about.get("name", "")),
        printable(about.get("format", "")),
        "" if size is None else render_size(int(size)),
        printable(about.get("sha256") or ""),
    )


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items() if value != {})


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        simple = not any(isinstance(v, Mapping) for v in value.values())
        return printable(_pairs(value) if simple else json.dumps(value))
    return printable("none" if value is None else value)
