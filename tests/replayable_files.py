"""Small files of every format that `spetrace replay` reads, each with something to replay."""

from __future__ import annotations

from collections.abc import Iterator

from builders import spe_load_record
from builders_perf_data import PerfData, spe_perf_data
from builders_perf_tracepoints import TRACED, pipe, sample, tracing_data
from builders_side_band import comm, mmap
from builders_trace_dat import Cpu, Instance, Machine, TraceDat, build_format
from event_log_builder import build_arrow, build_json_lines, build_parquet

from spetrace.ingest.event_log.importer import read
from spetrace.ingest.perf_data.abi import Feature

ASSUMED = "--assume-spe=period_ns=100,buffer_bytes=16384"
"""Makes a recording of a host replayable."""

_FORMATS = {
    name: (number, build_format(name, number, *fields))
    for number, (name, fields) in enumerate(
        {
            "kvm_entry": [("unsigned long vcpu_pc", 8, 8, 0)],
            "kvm_exit": [("int ret", 8, 4, 1), ("unsigned int esr_ec", 12, 4, 0), ("unsigned long vcpu_pc", 16, 8, 0)],
            "kvm_guest_fault": [(f"unsigned long {n}", 8 + 8 * i, 8, 0) for i, n in enumerate(("vcpu_pc", "hsr", "hxfar", "ipa"))],
            "kvm_unmap_hva_range": [("unsigned long start", 8, 8, 0), ("unsigned long end", 16, 8, 0)],
            "memslot": [("u32 slot", 8, 4, 0), ("u32 flags", 12, 4, 0), *((f"u64 {n}", 16 + 8 * i, 8, 0) for i, n in enumerate(("gpa", "size", "hva")))],
            "s2_map": [(f"u64 {n}", 8 + 8 * i, 8, 0) for i, n in enumerate(("pgt", "ipa", "size", "pa", "prot"))],
        }.items(),
        start=7,
    )
}  # fmt: skip
_TEXTS = {
    "kvm_entry": "PC: 0x{:016x}",
    "kvm_exit": "TRAP: HSR_EC: 0x{1:04x} (DABT_LOW), PC: 0x{2:016x}",
    "kvm_guest_fault": "ipa {3:#x}, hsr {1:#010x}, hxfar {2:#010x}, pc {0:#010x}",
    "kvm_unmap_hva_range": "mmu notifier unmap range: {:#010x} -- {:#010x}",
    "memslot": "(0xffff80008004e848) slot={0} flags={1:#x} gpa={2:#x} size={3:#x} hva={4:#x}",
    "s2_map": "(0xffff80008004e848) pgt={:#x} ipa={:#x} size={:#x} pa={:#x} prot={:#x}",
}
_LAYOUTS = {"kvm_exit": "iIQ", "memslot": "IIQQQ"}
_RAM, _HVA, _PID = 0x8000_0000, 0xFFFF_0000_0000, 41


def _events() -> Iterator[tuple[int, str, list[int]]]:
    """Times in us, events and fields of a VM that maps four pages and loses one of them."""
    yield 1, "memslot", [0, 0, _RAM, 1 << 24, _HVA]
    for n in range(4):
        ipa, at = _RAM + 4096 * n, 10 + 20 * n
        yield at, "kvm_entry", [0x8000]
        yield at + 9, "kvm_exit", [2, 0x24, 0x8000]
        yield at + 10, "kvm_guest_fault", [0x8000, 0x9200_0047, ipa, ipa]
        yield at + 11, "s2_map", [0x7000, ipa, 4096, 0x5_0000, 7]
    yield 95, "kvm_unmap_hva_range", [_HVA, _HVA + 4096]
    yield 99, "kvm_entry", [0x8000]
    yield 120, "kvm_exit", [0, 0, 0x8000]


def _record(machine: Machine, name: str, values: list[int]) -> bytes:
    layout = _LAYOUTS.get(name, "Q" * len(values))
    return machine.record(_FORMATS[name][0], _PID, machine.pack(layout, *values))


def trace_dat(order: str = "<", compression: str = "none") -> TraceDat:
    """A trace.dat of two buffers, the second one's events later."""
    machine = Machine(order)
    buffers = []
    for name, begin in (("", 0), ("other", 1_000_000)):
        before, events = 0, []
        for microseconds, event, values in _events():
            delta, before = 1000 * (microseconds - before), microseconds
            record = _record(machine, event, values)
            events.append(machine.event(record, delta=delta))
        pages = machine.page(begin, *events) + machine.page(begin + 200_000, lost=3)
        buffers.append(Instance([Cpu(0, pages)], name))
    formats = [text for _, text in _FORMATS.values()]
    return TraceDat(machine, formats, buffers, cmdlines=f"{_PID} kvm-vcpu-0\n", compression=compression)  # fmt: skip


def perf_tracepoints(order: str = "<", *, with_spe: bool = False) -> PerfData:
    """A perf.data with the tracepoints, and with SPE data where asked for."""
    file = spe_perf_data(order) if with_spe else PerfData(order)
    machine = Machine(order)
    file.features[Feature.TRACING_DATA] = tracing_data(file, {"kvm": [t for _, t in _FORMATS.values()]})  # fmt: skip
    for number, _text in _FORMATS.values():
        attr = file.attr(2, sample_type=TRACED, config=number, flags=1 << 18)
        file.attrs.append((attr, [900 + number]))
    file.records.append(comm(file, "kvm-vcpu-0", _PID, 0))
    for microseconds, event, values in _events():
        file.records.append(
            sample(file, _record(machine, event, values), id_=900 + _FORMATS[event][0],
                   time=1000 * microseconds, tid=_PID)
        )  # fmt: skip
    if with_spe:
        _add_spe(file)
    return file


def _add_spe(file: PerfData) -> None:
    data = b"".join(spe_load_record(1000 + n, 0x4000 + 4 * n, 0x8000) for n in range(6))
    half = len(data) // 2
    file.records += [
        mmap(file, "[kernel.kallsyms]_text"),
        file.id_index([(100, 0), (101, 1)]),
        file.time_conv(),
        file.aux(0, half, 1),
        file.auxtrace(0, data[:half]),
        file.aux(half, half, 4),
        file.auxtrace(half, data[half:]),
    ]


def perf_spe(order: str = "<") -> PerfData:
    """A perf.data with SPE data alone."""
    file = spe_perf_data(order)
    _add_spe(file)
    return file


def _text_lines(form: str) -> bytes:
    lines = [
        form.format(when=microseconds / 1e6, event=event, text=_TEXTS[event].format(*values))
        for microseconds, event, values in _events()
    ]
    return "".join(lines).encode()


_LOG = [
    {"ts": 0, "kind": "stage1_map", "va": 0x10000, "ipa": 0x80100000, "pages": 4, "tables": [0x80200000]},
    {"ts": 0, "kind": "stage2_map", "ipa": 0x80100000, "pages": 2},
    {"ts": 1, "kind": "sysreg_write", "reg": "PMBPTR_EL1", "value": 0x10000},
    {"ts": 2, "kind": "sysreg_write", "reg": "PMBLIMITR_EL1", "value": 0x12001},
    {"ts": 3, "kind": "sysreg_write", "reg": "PMSCR_EL1", "value": 3},
    *({"ts": 10 * n, "kind": "spe_record", "bytes": 64} for n in range(1, 9)),
    {"ts": 41, "kind": "stage2_unmap", "ipa": 0x80100000, "pages": 1, "cause": "swap"},
    {"ts": 90, "kind": "buffer_full"},
    {"ts": 95, "kind": "eret", "to_el": 0},
    {"ts": 99, "vm": 1, "kind": "exception"},
]  # fmt: skip
JSON_LINES = build_json_lines(sorted(_LOG, key=lambda e: e["ts"]), {"page_size": 4096})
_TABLE = read("x", memoryview(JSON_LINES)).events
assert _TABLE is not None

FILES: dict[str, bytes] = {
    "event log": JSON_LINES,
    "event log parquet": build_parquet(_TABLE),
    "event log arrow": build_arrow(_TABLE),
    "event log arrow stream": build_arrow(_TABLE, stream=True),
    "perf.data": perf_spe().build(),
    "perf.data big endian": perf_spe(">").build(),
    "perf.data pipe": perf_spe().build_pipe(),
    "perf.data tracepoints": perf_tracepoints().build(),
    "perf.data tracepoints pipe": pipe(perf_tracepoints()),
    "perf.data tracepoints and SPE": perf_tracepoints(with_spe=True).build(),
    "trace.dat v6": trace_dat().v6(),
    "trace.dat v6 big endian": trace_dat(">").v6(),
    "trace.dat v7": trace_dat().v7(),
    "trace.dat v7 zlib": trace_dat(compression="zlib").v7(),
    "trace.dat v7 zstd": trace_dat(compression="zstd").v7(),
    "ftrace": b"# tracer: nop\n#\n" + _text_lines("      kvm-vcpu-0-41      [000] d..1. {when:12.6f}: {event}: {text}\n"),
    "ftrace latency": b"# tracer: nop\n# latency: 0 us, #12/12, CPU#0 | (M:desktop VP:0, KP:0, SP:0 HP:0 #P:2)\n"
    + _text_lines("kvm-vcpu-41      0d..1. {when:12.6f}: {event}: {text}\n"),
    "trace-cmd report": b"cpus=1\n" + _text_lines("      kvm-vcpu-0-41    [000] {when:12.6f}: {event}:           {text}\n"),
    "perf script": _text_lines("      kvm-vcpu-0      41 [000] {when:12.6f}:     kvm:{event}: {text}\n"),
}  # fmt: skip
