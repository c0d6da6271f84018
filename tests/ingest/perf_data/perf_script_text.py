"""What perf script prints of the captures' tracepoints, as values: the oracle of their fields."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

LINE = re.compile(
    r"\s*(?P<comm>\S.*?)\s+(?:(?P<tgid>\d+)/)?(?P<tid>\d+)\s+\[(?P<cpu>\d+)\]\s+"
    r"(?P<s>\d+)\.(?P<fraction>\d+):\s+\w+:(?P<event>\w+): (?P<text>.*)"
)
GUEST = re.compile(r"\[guest/(\d+)\]")
LABELS = {
    "IRQ": 0, "TRAP": 2, "unsatisfied-read": 0, "read": 1, "write": 2, "wait": 1, "poll": 0,
    "valid": 1, "invalid": 0, "grow": 1, "shrink": 0, "wfi": 0, "wfe": 1,
}  # fmt: skip
HEX = "(?P<{}>(?:0x)?[0-9a-f]+)"


def pattern(text: str) -> re.Pattern[str]:
    """{name} is hex, {name:d} decimal, {name:w} a label; all else is literal, at the text's end."""
    parts = re.split(r"\{(\w+)(?::(\w))?\}", text)
    result = re.escape(parts[0])
    for name, kind, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        form = {None: HEX, "d": r"(?P<{}_d>-?\d+)", "w": r"(?P<{}_w>[\w-]+?)"}[kind]
        result += form.format(name) + re.escape(literal).replace(r"\ ", r"\s+")
    return re.compile(result.replace("ANY", r".*?") + r"\s*$")


PATTERNS = {
    "kvm_ack_irq": "irqchip {irqchip:d} pin {pin:d}",
    "kvm_arm_clear_debug": "flags: {guest_debug}",
    "kvm_arm_set_dreg32": "{name}: {value}",
    "kvm_arm_setup_debug": "vcpu: {vcpu}, flags: {guest_debug}",
    "kvm_entry": "PC: {vcpu_pc}",
    "kvm_exit": "{ret:w}: HSR_EC: {esr_ec} (ANY), PC: {vcpu_pc}",
    "kvm_get_timer_map": "VCPU: {vcpu_id:d}, dv: {direct_vtimer:d}, dp: {direct_ptimer:d}, "
    "ev: {emul_vtimer:d}, ep: {emul_ptimer:d}",
    "kvm_guest_fault": "ipa {ipa}, hsr {hsr}, hxfar {hxfar}, pc {vcpu_pc}",
    "kvm_halt_poll_ns": "vcpu {vcpu_id:d}: halt_poll_ns {new:d} ({grow:w} {old:d})",
    "kvm_handle_sys_reg": "HSR {hsr}",
    "kvm_hvc_arm64": "HVC at {vcpu_pc} (r0: {r0}, imm: {imm})",
    "kvm_irq_line": "interrupt ({type:d}), vcpu->idx: {vcpu_idx:d}, num: {irq_num:d}, "
    "level: {level:d}",
    "kvm_mmio": "mmio {type:w} len {len:d} gpa {gpa} val {val}",
    "kvm_sys_access": "vcpu_pc={vcpu_pc} is_write={is_write:d} name={name} Op0={Op0:d} "
    "Op1={Op1:d} CRn={CRn:d} CRm={CRm:d} Op2={Op2:d}",
    "kvm_timer_restore_state": "CTL: {ctl} CVAL: {cval} arch_timer_ctx_index: {timer_idx:d}",
    "kvm_timer_save_state": "CTL: {ctl} CVAL: {cval} arch_timer_ctx_index: {timer_idx:d}",
    "kvm_timer_update_irq": "VCPU: {vcpu_id:d}, IRQ {irq:d}, level {level:d}",
    "kvm_unmap_hva_range": "range: {start} -- {end}",
    "kvm_userspace_exit": "({reason:d})",
    "kvm_vcpu_wakeup": "{waited:w} time {ns:d} ns, polling {valid:w}",
    "kvm_wfx_arm64": "guest executed {is_wfe:w} at: {vcpu_pc}",
    "memslot": "({__probe_ip}) slot={slot:d} flags={flags} gpa={gpa} size={size} hva={hva}",
    "s2_map": "({__probe_ip}) pgt={pgt} ipa={ipa} size={size} pa={pa} prot={prot}",
    "s2_unmap": "({__probe_ip}) pgt={pgt} ipa={ipa} size={size}",
    "vgic_update_irq_pending": "VCPU: {vcpu_id:d}, IRQ {irq:d}, level: {level:d}",
}
NOT_PRINTED = {("kvm_userspace_exit", "errno")}
_COMPILED = {name: pattern(text) for name, text in PATTERNS.items()}
_UNPRINTED_WFX = "guest executed wf>c< at: 0x0000000000000000"
"""perf can't print %c (libtraceevent), nor what comes after it."""


class Line(NamedTuple):
    """One sample.

    `comm` is None where perf knows none (it forgets threads that exit), or shows the VMM's process
    instead.
    """

    event: str
    time_ns: int
    unit_ns: int
    """1, or 1000 where the text holds microseconds, rounded down."""
    cpu: int
    tid: int
    tgid: int | None
    comm: str | None
    fields: dict[str, int]


def read_text(path: Path) -> Iterator[Line]:
    """The samples of a text, packed or not; lines of call chains are passed over."""
    data = path.read_bytes()
    yield from parse_text((gzip.decompress(data) if path.suffix == ".gz" else data).decode())


def parse_text(text: str) -> Iterator[Line]:
    """The samples of what perf script printed."""
    for found in filter(None, map(LINE.fullmatch, text.splitlines())):
        guest = GUEST.fullmatch(found["comm"])
        unit = 10 ** (9 - len(found["fraction"]))
        tgid = found["tgid"] or (guest[1] if guest else None)
        yield Line(
            found["event"],
            int(found["s"]) * 10**9 + int(found["fraction"]) * unit,
            unit,
            int(found["cpu"]),
            int(found["tid"]),
            int(tgid) if tgid else None,
            None if guest or found["comm"] == f":{found['tid']}" else found["comm"],
            parse_fields(found["event"], found["text"]),
        )


def parse_fields(event: str, text: str) -> dict[str, int]:
    """The printed fields."""
    if text == _UNPRINTED_WFX:
        return {}
    found = _COMPILED[event].search(text)
    assert found is not None, (event, text)
    return dict(_values(found.groupdict().items()))


def _values(groups: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, int]]:
    for name, value in groups:
        if name.endswith("_d"):
            yield name[:-2], int(value)
        elif name.endswith("_w"):
            yield name[:-2], LABELS[value]
        else:
            yield name, int(value, 16)
