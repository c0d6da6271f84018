"""trace-cmd's texts as frames, to compare recordings with."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl

from spetrace.tables.recording import Recording

_LINE = (
    r"^(?:(?<instance>\S+):)? +(?<comm>\S.*?)-(?<pid>\d+) +\[(?<cpu>\d+)\](?:-0x[0-9a-f]+| +[.a-zA-Z][.a-zA-Z0-9]{4} )? *"
    r"(?<time>[\d.]+): (?<event>[^:\s]+): *(?<text>.*)$"
)
KVM_PATTERNS = {
    "kvm_entry": r"PC: 0x(?<vcpu_pc>\w+)",
    "kvm_exit": r"HSR_EC: (?<esr_ec>\w+) \(\w+\), PC: (?<vcpu_pc>\w+)",
    "kvm_guest_fault": r"ipa (?<ipa>\w+), hsr (?<hsr>\w+), hxfar (?<hxfar>\w+), pc (?<vcpu_pc>\w+)",
    "kvm_unmap_hva_range": r"range: (?<start>\w+) -- (?<end>\w+)",
    "kvm_mmio": r"len (?<len>\w+) gpa (?<gpa>\w+) val (?<val>\w+)",
    "kvm_irq_line": r"\((?<type>\d+)\), vcpu->idx: (?<vcpu_idx>-?\d+), num: (?<irq_num>\d+), level: (?<level>\d+)",
    "kvm_timer_update_irq": r"VCPU: (?<vcpu_id>\d+), IRQ (?<irq>\d+), level (?<level>\d+)",
    "vgic_update_irq_pending": r"VCPU: (?<vcpu_id>\d+), IRQ (?<irq>\d+), level: (?<level>\d+)",
    "kvm_userspace_exit": r"reason \w+ \((?<reason>\d+)\)",
    "kvm_vcpu_wakeup": r"time (?<ns>\d+) ns",
    "kvm_hvc_arm64": r"HVC at (?<vcpu_pc>\w+) \(r0: (?<r0>\w+), imm: (?<imm>\w+)\)",
    "kvm_get_timer_map": r"VCPU: (?<vcpu_id>\d+), dv: (?<direct_vtimer>-?\d+), dp: (?<direct_ptimer>-?\d+),",
    "kvm_timer_save_state": r"CTL: (?<ctl>\w+) CVAL: +(?<cval>\w+) arch_timer_ctx_index: (?<timer_idx>\d+)",
    "kvm_timer_restore_state": r"CTL: (?<ctl>\w+) CVAL: +(?<cval>\w+) arch_timer_ctx_index: (?<timer_idx>\d+)",
    "kvm_arm_set_dreg32": r"(?<name>\w+): (?<value>\w+)",
    "kvm_arm_setup_debug": r"vcpu: (?<vcpu>\w+), flags: (?<guest_debug>\w+)",
    "kvm_arm_clear_debug": r"flags: (?<guest_debug>\w+)",
    "kvm_handle_sys_reg": r"HSR (?<hsr>\w+)",
    "kvm_sys_access": r"vcpu_pc=(?<vcpu_pc>\w+) is_write=(?<is_write>\d) name=(?<name>\w+) Op0=(?<Op0>\d+) Op1=(?<Op1>\d+) CRn=(?<CRn>\d+) CRm=(?<CRm>\d+) Op2=(?<Op2>\d+)",
    "kvm_ack_irq": r"irqchip (?<irqchip>\d+) pin (?<pin>\d+)",
    "kvm_toggle_cache": r"VM op at (?<vcpu_pc>\w+)",
    "trap_reg": r"^(?<fn>\w+) .* reg (?<reg>\d+) \((?<write_value>\w+)\)",
    "memslot": r"\((?<__probe_ip>\w+)\) slot=(?<slot>\w+) flags=(?<flags>\w+) gpa=(?<gpa>\w+) size=(?<size>\w+) hva=(?<hva>\w+)",
}


def lines_of(text: str) -> pl.Series:
    """The lines of a text, without the head and the marks of lost events."""
    lines = pl.Series("line", text.splitlines())
    return lines.filter(~lines.str.contains(r"^cpus=|^CPU:\d+ \[|^$"))


def events_of(path: Path) -> pl.DataFrame:
    """The events of a gzipped text, as `events_in`."""
    return events_in(gzip.decompress(path.read_bytes()).decode())


def events_in(text: str) -> pl.DataFrame:
    """One row per line of `trace-cmd report`: instance, comm, pid, cpu, time (digits), event, text."""
    frame = lines_of(text).str.extract_groups(_LINE).struct.unnest()
    assert frame["event"].null_count() == 0, "a line that the test does not understand"
    return frame.with_columns(
        pl.col("comm").str.strip_chars(),
        pl.col("pid").cast(pl.Int32),
        pl.col("cpu").cast(pl.Int32),
        pl.col("time").str.replace(".", "", literal=True).cast(pl.Int64),
    )


def in_order(recording: Recording) -> pl.DataFrame:
    """All events of a recording in their merged order, as far as all tracepoints have the columns."""
    common = ["index", "time_ns", "cpu", "pid", "comm"]
    tables = [
        table.select(*common, event=pl.lit(name)) for name, table in recording.tracepoints.items()
    ]
    return pl.concat(tables).sort("index").with_columns(pl.col("comm").cast(pl.String))


def assert_same_events(recording: Recording, expected: pl.DataFrame) -> None:
    """Number, order, names, times, CPUs and threads are those of the text."""
    got = in_order(recording)
    assert got["index"].equals(pl.Series("index", range(len(got)), pl.UInt64))
    assert_same_order(got, expected)


def assert_same_order(got: pl.DataFrame, expected: pl.DataFrame) -> None:
    """The events (of `in_order`) are those of the text's lines, one by one."""
    assert len(got) == len(expected)
    for ours, theirs in (("event", "event"), ("time_ns", "time"), ("cpu", "cpu"), ("pid", "pid")):
        assert got[ours].equals(expected[theirs]), ours
    assert got["comm"].fill_null("<...>").equals(expected["comm"])


def raw_fields(texts: pl.Series, fields: list[str]) -> pl.DataFrame:
    """The name=value pairs of `trace-cmd report -R` texts."""
    names = "|".join(fields)
    pattern = rf"(?:^| ){{}}=(.*?)(?: (?:{names})=|$)"
    frame = texts.to_frame("text")
    return frame.select(pl.col("text").str.extract(pattern.format(f)).alias(f) for f in fields)


def assert_same_fields(recording: Recording, expected: pl.DataFrame) -> None:
    """Every field of every event is as `trace-cmd report -R` prints it."""
    fixed = {"index", "time_ns", "cpu", "pid", "comm", "tgid", "instance"}
    for event, table in recording.tracepoints.items():
        fields = [c for c in table.columns if c not in fixed]
        texts = raw_fields(expected["text"].filter(expected["event"] == event), fields)
        for field in fields:
            if (event, field) != ("print", "ip"):  # printed as the name of the symbol
                assert_same_values(table[field], texts[field], f"{event}.{field}")


def pattern_fields(event: str, texts: pl.Series) -> pl.DataFrame:
    """The fields that the text of a KVM event prints."""
    return texts.str.extract_groups(KVM_PATTERNS[event]).struct.unnest()


def assert_same_values(values: pl.Series, texts: pl.Series, place: str) -> None:
    """All texts are the values: as text, or as numbers of one base."""
    assert len(values) == len(texts), place
    assert texts.null_count() == 0, place
    if values.dtype == pl.String:
        assert values.str.strip_chars().equals(texts.str.strip_chars()), place
        return
    same = any(_as_numbers(texts, base).equals(_unsigned(values)) for base in (16, 10))
    assert same, f"{place}: {values.head(3).to_list()} is not {texts.head(3).to_list()}"


def _unsigned(values: pl.Series) -> pl.Series:
    return (
        values.cast(pl.Int64).rename("v")
        if values.dtype != pl.UInt64
        else values.rename("v").reinterpret(signed=True)
    )


def _as_numbers(texts: pl.Series, base: int) -> pl.Series:
    bare = texts.str.strip_chars().str.strip_prefix("0x")
    if base == 10:
        return bare.cast(pl.Int64, strict=False).rename("v")
    padded = bare.str.zfill(16)
    high = padded.str.slice(0, 8).str.to_integer(base=16, strict=False)
    low = padded.str.slice(8).str.to_integer(base=16, strict=False)
    return (
        (high.cast(pl.UInt64) * (1 << 32) + low.cast(pl.UInt64))
        .reinterpret(signed=True)
        .rename("v")
    )
