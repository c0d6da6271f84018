"""What two runs rest on, where it differs: inputs, parameters, assumptions, costs, losses, versions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spetrace.report.basis import all_assumptions, loss_lines, span_ns
from spetrace.report.units import render_size, render_time
from spetrace.report.wording import count_of, printable
from spetrace.tables.run import Run

ABSENT = "-"


@dataclass(frozen=True)
class BasisChange:
    """One thing that the runs do not have in common."""

    section: str
    """input, parameter, assumption, cost, clock, machine, loss, excluded or version."""
    name: str
    a: str
    """Its value in A as shown; "-" where A lacks it."""
    b: str

    HEADINGS = ("what", "A", "B")

    @property
    def cells(self) -> tuple[str, ...]:
        """Under HEADINGS."""
        return (f"{self.section} {self.name}", self.a, self.b)


def basis_changes(a: Run, b: Run) -> tuple[BasisChange, ...]:
    """All that differs, the inputs first."""
    common = {digest for digest in _hashes(a) if digest and digest in _hashes(b)}
    sections = zip(_sections(a, common), _sections(b, common), strict=True)
    return tuple(
        change
        for (section, of_a), (_, of_b) in sections
        for change in _changes(section, of_a, of_b)
    )


def same_inputs(a: Run, b: Run) -> bool:
    """Whether both runs were made from the same bytes, in whatever order."""
    return sorted(map(str, _hashes(a))) == sorted(map(str, _hashes(b)))


def _hashes(run: Run) -> list[Any]:
    return [each.get("sha256") for each in run.session.get("inputs", [])]


def _sections(run: Run, common: Collection[str]) -> list[tuple[str, dict[str, str]]]:
    """Per section its values by name, as shown; no inputs with a hash in `common`."""
    session = run.session
    inputs = [i for i in session.get("inputs", []) if i.get("sha256") not in common]
    span = span_ns(session)
    parameters = {k: v for k, v in session.get("parameters", {}).items() if k != "costs"}
    costs = session.get("parameters", {}).get("costs", {})
    return [
        ("input", _inputs(inputs)),
        ("recording", {"span": render_time(span)} if span else {}),
        ("parameter", _flat(parameters)),
        ("cost", _flat(costs if isinstance(costs, Mapping) else {"costs": costs})),
        ("basis of cost", {str(c.get("name")): str(c.get("basis")) for c in session.get("costs", [])}),
        ("assumption", _assumptions(session)),
        ("clock", _clocks(session.get("clocks", []))),
        ("machine", _machines(session.get("machines", []))),
        ("loss", {f"{loss.counter} ({loss.source})": loss.text for loss in loss_lines(run)}),
        ("excluded", {str(k): str(v) for k, v in session.get("excluded", {}).items()}),
        ("version", {str(k): str(v) for k, v in session.get("versions", {}).items()}),
    ]  # fmt: skip


def _changes(section: str, a: Mapping[str, str], b: Mapping[str, str]) -> Iterable[BasisChange]:
    for name in dict.fromkeys((*a, *b)):
        values = [printable(side.get(name, ABSENT)) for side in (a, b)]
        if values[0] != values[1]:
            yield BasisChange(section, printable(name), *values)


def _inputs(inputs: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {str(each.get("name")): _input(each) for each in inputs}


def _input(about: Mapping[str, Any]) -> str:
    size, digest = about.get("size_bytes"), str(about.get("sha256") or "")
    parts = [about.get("format"), None if size is None else render_size(int(size))]
    return ", ".join(str(p) for p in [*parts, digest and f"sha256 {digest[:12]}"] if p)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested mappings as one, their keys joined by dots."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = _word(value)
    return flat


def _word(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)


def _assumptions(session: Mapping[str, Any]) -> dict[str, str]:
    """By name the values of all assumptions of that name, those of costs apart."""
    values: dict[str, list[str]] = {}
    for each in all_assumptions(session):
        name = str(each.get("name", ""))
        if not name.startswith(("costs", "pin_refuses")):
            values.setdefault(name, []).append(_word(each.get("value")))
    return {name: ", ".join(dict.fromkeys(each)) for name, each in values.items()}


def _clocks(clocks: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {
        f"of input {clock.get('source')}": f"{clock.get('clock')}, offset {clock.get('offset_ns') or 0} ns"
        for clock in clocks
    }


def _machines(machines: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {f"VM {each.get('vm')}": _machine(each) for each in machines}


def _machine(machine: Mapping[str, Any]) -> str:
    vcpus, ram = machine.get("vcpus"), machine.get("ram")
    size = ram.get("bytes") if isinstance(ram, Mapping) else None
    parts = [
        count_of(len(vcpus) if isinstance(vcpus, list) else 0, "vCPU"),
        f"RAM {render_size(size)}" if size and isinstance(size, int) else "",
    ]
    return ", ".join(filter(None, parts))
