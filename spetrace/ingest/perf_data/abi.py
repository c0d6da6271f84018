"""Numbers of the perf.data format (Linux 6.12: include/uapi/linux/perf_event.h, tools/lib/perf/include/perf/event.h, tools/perf/util/header.h)."""

from __future__ import annotations

from enum import IntEnum, IntFlag

MAGIC = b"PERFILE2"
"""Magic of a little-endian file; reversed in a big-endian one."""

MAGIC_VERSION_1 = b"PERFFILE"

RECORD_HEADER_BYTES = 8


class RecordType(IntEnum):
    """`perf_event_header.type`: below 64 of the kernel, from 64 on of the perf tool."""

    MMAP = 1
    LOST = 2
    COMM = 3
    EXIT = 4
    THROTTLE = 5
    UNTHROTTLE = 6
    FORK = 7
    READ = 8
    SAMPLE = 9
    MMAP2 = 10
    AUX = 11
    ITRACE_START = 12
    LOST_SAMPLES = 13
    SWITCH = 14
    SWITCH_CPU_WIDE = 15
    NAMESPACES = 16
    KSYMBOL = 17
    BPF_EVENT = 18
    CGROUP = 19
    TEXT_POKE = 20
    AUX_OUTPUT_HW_ID = 21
    HEADER_ATTR = 64
    HEADER_EVENT_TYPE = 65
    HEADER_TRACING_DATA = 66
    HEADER_BUILD_ID = 67
    FINISHED_ROUND = 68
    ID_INDEX = 69
    AUXTRACE_INFO = 70
    AUXTRACE = 71
    AUXTRACE_ERROR = 72
    THREAD_MAP = 73
    CPU_MAP = 74
    STAT_CONFIG = 75
    STAT = 76
    STAT_ROUND = 77
    EVENT_UPDATE = 78
    TIME_CONV = 79
    HEADER_FEATURE = 80
    COMPRESSED = 81
    FINISHED_INIT = 82
    COMPRESSED2 = 83
    BPF_METADATA = 84
    SCHEDSTAT_CPU = 85
    SCHEDSTAT_DOMAIN = 86


class Misc(IntFlag):
    """Bits of `perf_event_header.misc` whose meaning depends on the record's type."""

    MMAP_DATA = 1 << 13
    MMAP_BUILD_ID = 1 << 14
    BUILD_ID_SIZE = 1 << 15


class Feature(IntEnum):
    """Bits of the header's feature bitmap whose sections are read."""

    TRACING_DATA = 1
    BUILD_ID = 2
    HOSTNAME = 3
    OSRELEASE = 4
    VERSION = 5
    ARCH = 6
    NRCPUS = 7
    CPUDESC = 8
    CPUID = 9
    TOTAL_MEM = 10
    CMDLINE = 11
    EVENT_DESC = 12
    PMU_MAPPINGS = 16
    SAMPLE_TIME = 21
    DIR_FORMAT = 24
    COMPRESSED = 27


KNOWN_FEATURES = range(1, 34)
"""Bits of the feature bitmap that have a meaning, up to CLN_SIZE of Linux 6.19."""


class SampleType(IntFlag):
    """`perf_event_attr.sample_type`: the fields up to RAW, and those of the sample_id trailer."""

    IP = 1 << 0
    TID = 1 << 1
    TIME = 1 << 2
    ADDR = 1 << 3
    READ = 1 << 4
    CALLCHAIN = 1 << 5
    ID = 1 << 6
    CPU = 1 << 7
    PERIOD = 1 << 8
    STREAM_ID = 1 << 9
    RAW = 1 << 10
    IDENTIFIER = 1 << 16


class ReadFormat(IntFlag):
    """`perf_event_attr.read_format`: what a READ field holds beside the values."""

    TOTAL_TIME_ENABLED = 1 << 0
    TOTAL_TIME_RUNNING = 1 << 1
    ID = 1 << 2
    GROUP = 1 << 3
    LOST = 1 << 4


class AttrFlag(IntFlag):
    """The bit field of `perf_event_attr` at byte 40."""

    EXCLUDE_USER = 1 << 4
    EXCLUDE_KERNEL = 1 << 5
    SAMPLE_ID_ALL = 1 << 18
    USE_CLOCKID = 1 << 25


class AuxFlag(IntFlag):
    """Flags of PERF_RECORD_AUX."""

    TRUNCATED = 0x01
    OVERWRITE = 0x02
    PARTIAL = 0x04
    COLLISION = 0x08


AUXTRACE_TYPE_ARM_SPE = 4
"""PERF_RECORD_AUXTRACE_INFO.type of Arm SPE (tools/perf/util/auxtrace.h)."""

TRACEPOINT_TYPE = 2
"""`perf_event_attr.type` of tracepoints; their `config` is the ID of the format."""

PMU_TYPES = {
    0: "hardware",
    1: "software",
    2: "tracepoint",
    3: "hw-cache",
    4: "raw",
    5: "breakpoint",
}
"""`perf_event_attr.type` of the kernel's fixed PMUs; others are in the file's PMU_MAPPINGS."""

CLOCK_NAMES = {
    0: "realtime",
    1: "monotonic",
    4: "monotonic_raw",
    7: "boottime",
    11: "tai",
}
"""`perf_event_attr.clockid` where `use_clockid` is set (include/uapi/linux/time.h)."""

TRACE_CLOCKS = {"monotonic": "mono", "monotonic_raw": "mono_raw", "boottime": "boot"}
"""What ftrace calls those of them that it names otherwise (Linux 6.12 kernel/trace/trace.c)."""
