"""session.toml: what the recordings can't say.

Every key is optional; a flag of the same name wins. Sizes, addresses and times are integers, and may
be written as 0x…; an unknown key is an error.

    clock_offset_ns = 0         # guest time + this = the session's time, for all SPE recordings
    cntvoff = 0                 # CNTVOFF_EL2 in ticks: physical counter - the guest's virtual one
    counter_hz = 62500000       # rate of a host clock that counts ticks (counter)
    stage2_from = "probes"      # or "tracepoints"; default: probes per VM that has some
    infer_read_only = false     # by tracepoints: tell read-only mappings from later faults
    aux_bytes = 4194304         # size of an AUX area
    placement = "contiguous"    # or "scattered"
    placement_seed = 0          # of "scattered"
    buffer_touched = true       # the guest's CPUs have faulted the buffer in
    vmm_maps = "maps.txt"       # a /proc/PID/maps of VM 0's process, beside session.toml, with
    ram_base = 0x80000000       #   the IPA and
    ram_bytes = 0x8000000       #   the size of its RAM

    [assume_spe]                # an SPE load on captures without SPE data
    period_ns = 1000
    record_bytes = 64
    buffer_bytes = 1048576

    [[vm]]                      # one table per VM, in order of their numbers, unless it says:
    vm = 0                      # its number, or
    pid = 3004                  # its VMM's process as recorded; with vcpus: a name for the process
    vcpus = [3011, 3012]        # its vCPUs' threads, where no process was recorded
    ram = {ipa = 0x80000000, bytes = 0x8000000}   # where no memslot is known
    memory_bytes = 0x8000000    # the same without an address: RAM is where most pages are mapped
    initial_stage2 = "empty"    # or "all"
    block_bytes = 2097152       # what a fault above the last level maps, by tracepoints alone
    clock_offset_ns = 0         # for this VM's SPE recordings, instead of the one above
    cntvoff = 0

    [[vm.memslot]]              # instead of those that the memslot probe saw
    hva = 0xffff7cc00000
    ipa = 0x80000000
    bytes = 0x8000000
    read_only = false

    [[vm.stream]]               # SPE data that is this VM's
    file = "guest.perf.data"    # the input's name, or the end of its path
    cpu = 0                     # its CPU (or number, per thread); without: all its streams
    vcpu = 0                    # default: as the CPU

    [[vm.buffer]]               # where a vCPU's buffer lies
    vcpu = 0
    chunks = [{ipa = 0x87000000, bytes = 0x400000}]   # in order, whole pages, all of it
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spetrace.errors import InputError
from spetrace.session.memslots import Memslot
from spetrace.session.options import AssumedSpe
from spetrace.session.side_file import read_side_file
from spetrace.session.toml_keys import (
    STRUCTURE,
    Check,
    boolean,
    choice,
    integer,
    list_of,
    table,
    text,
)

_AUX_UNIT: Final = 8192


@dataclass(frozen=True)
class Region:
    """[ipa, ipa + bytes)."""

    ipa: int
    bytes: int


@dataclass(frozen=True)
class StreamChoice:
    """SPE data that belongs to a VM: a file, one of its CPUs, and the vCPU."""

    file: str
    cpu: int | None = None
    vcpu: int | None = None


@dataclass(frozen=True)
class BufferChoice:
    """Where one vCPU's buffer lies."""

    vcpu: int
    chunks: tuple[Region, ...]


@dataclass(frozen=True)
class VmChoices:
    """One [[vm]]."""

    vm: int | None = None
    pid: int | None = None
    vcpus: tuple[int, ...] = ()
    ram: Region | None = None
    memory_bytes: int | None = None
    initial_stage2: str | None = None
    block_bytes: int | None = None
    clock_offset_ns: int | None = None
    cntvoff: int | None = None
    memslot: tuple[Memslot, ...] = ()
    stream: tuple[StreamChoice, ...] = ()
    buffer: tuple[BufferChoice, ...] = ()

    def chunks_of(self, vcpu: int) -> tuple[tuple[int, int], ...]:
        """(IPA, bytes) of the parts of a vCPU's buffer; none where they are not listed."""
        own = (b.chunks for b in self.buffer if b.vcpu == vcpu)
        return tuple((region.ipa, region.bytes) for region in next(own, ()))


@dataclass(frozen=True)
class SessionToml:
    """A whole session.toml."""

    clock_offset_ns: int | None = None
    cntvoff: int | None = None
    counter_hz: int | None = None
    stage2_from: str | None = None
    infer_read_only: bool | None = None
    aux_bytes: int | None = None
    placement: str | None = None
    placement_seed: int | None = None
    buffer_touched: bool | None = None
    vmm_maps: str | None = None
    ram_base: int | None = None
    ram_bytes: int | None = None
    assume_spe: AssumedSpe | None = None
    vm: tuple[VmChoices, ...] = ()


_SIGNED: Final = integer(-(1 << 62), 1 << 62)
_ADDRESS: Final = integer()
_SIZE: Final = integer(1, 1 << 47)
_NUMBER: Final = integer(0, 65535)
_THREAD: Final = integer(0, (1 << 31) - 1)

_REGION: Final = table({"ipa": _ADDRESS, "bytes": _SIZE}, Region, ("ipa", "bytes"))
_MEMSLOT: Final = table(
    {"hva": _ADDRESS, "ipa": _ADDRESS, "bytes": _SIZE, "read_only": boolean},
    Memslot,
    ("hva", "ipa", "bytes"),
)
_STREAM: Final = table({"file": text, "cpu": _THREAD, "vcpu": _NUMBER}, StreamChoice, ("file",))
_BUFFER: Final = table(
    {"vcpu": _NUMBER, "chunks": list_of(_REGION)}, BufferChoice, ("vcpu", "chunks")
)
_VM: Final = table(
    {
        "vm": _NUMBER,
        "pid": _THREAD,
        "vcpus": list_of(_THREAD),
        "ram": _REGION,
        "memory_bytes": _SIZE,
        "initial_stage2": choice("empty", "all"),
        "block_bytes": integer(4096, 1 << 40, 4096),
        "clock_offset_ns": _SIGNED,
        "cntvoff": _SIGNED,
        "memslot": list_of(_MEMSLOT),
        "stream": list_of(_STREAM),
        "buffer": list_of(_BUFFER),
    },
    VmChoices,
)
_TOP: Final[Check] = table(
    {
        "clock_offset_ns": _SIGNED,
        "cntvoff": _SIGNED,
        "counter_hz": integer(1, 9_000_000_000),
        "stage2_from": choice("probes", "tracepoints"),
        "infer_read_only": boolean,
        "aux_bytes": integer(_AUX_UNIT, 1 << 40, _AUX_UNIT),
        "placement": choice("contiguous", "scattered"),
        "placement_seed": integer(),
        "buffer_touched": boolean,
        "vmm_maps": text,
        "ram_base": _ADDRESS,
        "ram_bytes": _SIZE,
        "assume_spe": table(
            dict.fromkeys(("period_ns", "record_bytes", "buffer_bytes"), _SIZE), AssumedSpe
        ),
        "vm": list_of(_VM),
    },
    SessionToml,
)


def parse_session_toml(source: str) -> SessionToml:
    """A session.toml from its text; raises InputError with the key, or the parser's own words."""
    try:
        values = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InputError(STRUCTURE, str(error)) from error
    parsed: SessionToml = _TOP("", values)
    return parsed


def read_session_toml(path: Path) -> SessionToml:
    """A session.toml from its file; raises InputError with file and key."""
    try:
        return parse_session_toml(read_side_file(path, STRUCTURE))
    except InputError as error:
        raise error.in_file(str(path)) from error
