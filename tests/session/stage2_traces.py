"""Traces of a VM's stage 2, line by line, and their derived tables."""

from typing import Any

from session_recordings import WRITE, event, host, rows, whole_session

from spetrace.session.options import SessionOptions

MIB = 1 << 20
RAM = 0x8000_0000
HVA = 0x7F00_0000_0000
SLOT = event("memslot", 0, pid=9, slot=0, flags=0, gpa=RAM, size=8 * MIB, hva=HVA)
EMPTY = {"initial_stage2": "empty"}


def entry(time: int, pid: int = 10, **fields: Any) -> dict[str, Any]:
    return event("kvm_entry", time, pid, **fields)


def leave(time: int, pid: int = 10, **fields: Any) -> dict[str, Any]:
    return event("kvm_exit", time, pid, **({"ret": 2, "esr_ec": 0x24} | fields))


def fault(time: int, ipa: int, hsr: int = WRITE, pid: int = 10, **fields: Any) -> dict[str, Any]:
    return event("kvm_guest_fault", time, pid, hsr=hsr, ipa=ipa, hxfar=0, **fields)


def unmap(time: int, first: int, end: int, pid: int = 99) -> dict[str, Any]:
    return event("kvm_unmap_hva_range", time, pid, start=first, end=end)


def probe(name: str, time: int, ipa: int, pid: int = 10, **fields: Any) -> dict[str, Any]:
    return event(name, time, pid, **({"pgt": 7, "ipa": ipa} | fields))


def derived(*events: dict[str, Any], parameters: Any = EMPTY, **options: Any) -> Any:
    """The session of the events, with its tables; stage 2 empty at the start."""
    return whole_session([host(list(events))], SessionOptions(parameters=parameters, **options))


def table(session: Any, name: str, *columns: str) -> list[tuple[Any, ...]]:
    return rows(session.tables[name], *columns)
