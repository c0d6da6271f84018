"""Records in words, compared row by row with what perf prints."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from ingest.perf_data.reading import read_spe_file, spe_rows
from ingest.spe.perf_view import to_perf_view
from polars.testing import assert_frame_equal

from spetrace import arm
from spetrace.arm.explanation import EXPLAINED_COLUMNS

CAPTURES = [
    "n1", "n1-header2", "n1-no-timestamps", "n1-pipe", "n1-zstd81", "n1-zstd83", "v1", "kp",
    "kp-no-context-no-pa", "fvp", "newv64",
]  # fmt: skip
"""All but those that perf refuses (n1-no-index, n1-per-thread), and those with cut records or
packets (n1-partial, kp-straddle): perf adds what it has of one to the next."""
SCRIPT_LINE = re.compile(
    r"\s*-?\d+/-?\d+\s+\[(?P<cpu>\d+)\]\s+(?P<seconds>\d+)\.(?P<ns>\d{9}):\s+[0-9a-f]+\s+[0-9a-f]+"
    r" \|(?P<text>OP [^|]*\|LVL [^|]*\|SNP [^|]*\|TLB [^|]*)\|LCK No\|BLK  N/A"
    r"\s+(?P<weight>\d+)\s+(?P<ip>[0-9a-f]+)\s+(?P<pa>[0-9a-f]+)\s*$"
)
SCRIPT_COLUMNS = {
    "time_ns": pl.Int64,
    "cpu": pl.Int32,
    "ip": pl.UInt64,
    "pa": pl.UInt64,
    "weight": pl.UInt16,
    "text": pl.String,
}
# With -F data_src, perf marks operations that are no loads or stores with one of these.
NO_ACCESS = ("OP No|", "OP N/A|")
DUMP_LINE = re.compile(r"^\.  [0-9a-f]{8}:  (?P<bytes>(?:[0-9a-f]{2} )+) +(?P<text>\S.*?)?$", re.M)


def script_rows(path: Path) -> pl.DataFrame:
    """The samples of `perf script`, sorted; "-" for what perf makes of other than loads, stores."""
    with gzip.open(path, "rt") as file:
        matches = [SCRIPT_LINE.match(line) for line in file]
    rows = [
        (
            int(m["seconds"]) * 10**9 + int(m["ns"]),
            int(m["cpu"]),
            int(m["ip"], 16),
            int(m["pa"], 16),
            int(m["weight"]),
            "-" if m["text"].startswith(NO_ACCESS) else m["text"],
        )
        for m in matches
        if m
    ]
    assert len(rows) == len(matches)
    return pl.DataFrame(rows, SCRIPT_COLUMNS, orient="row").sort(*SCRIPT_COLUMNS)


def perf_text() -> pl.Expr:
    """What perf prints as data_src, of the columns that `explain` adds."""
    operation = pl.when(arm.is_load()).then(pl.lit("LOAD")).otherwise(pl.lit("STORE"))
    remote = pl.when("memory_remote").then(pl.lit("Remote ")).otherwise(pl.lit(""))
    hit = pl.when("memory_hit").then(pl.lit(" hit")).otherwise(pl.lit(" miss"))
    level = pl.concat_str(remote, "memory_level", hit).fill_null("N/A")
    words = {"NONE": "None", "HIT": "Hit", "HITM": "HitM"}
    snoop = pl.col("memory_snoop").replace_strict(words, default="N/A")
    peer = pl.when("memory_peer").then(pl.lit(" or Peer")).otherwise(pl.lit(""))
    walk = pl.when("tlb_walk").then(pl.lit("miss")).otherwise(pl.lit("hit"))
    tlb = pl.when(arm.tlb_hit() | pl.col("tlb_walk")).then(pl.concat_str(pl.lit("Walker "), walk))
    text = pl.format(
        "OP {}|LVL {}|SNP {}{}|TLB {}", operation, level, snoop, peer, tlb.fill_null("N/A")
    )
    return pl.when(arm.is_load() | arm.is_store()).then(text).otherwise(pl.lit("-"))


@pytest.mark.parametrize("name", CAPTURES)
def test_memory_accesses_are_those_of_perf_script(name: str, shared: Path) -> None:
    folder = shared / "captures/spe-synthetic"
    _, spe = read_spe_file(folder / f"{name}.perf.data")
    records = spe_rows(spe)
    view = to_perf_view(records)
    ours = arm.explain(records, spe.midrs).select(
        pl.col("time_ns").fill_null(0),
        "cpu",
        ip=view["from_ip"],
        pa=view["phys"],
        weight="total_latency_cycles",
        text=perf_text(),
    )
    expected = script_rows(folder / f"{name}.script.txt.gz")
    if name == "n1-header2":
        # Its metadata say that the CPUs have event SNOOPED: perf takes its absence for no snoop.
        not_snooped = pl.col("text").str.replace("SNP None or Peer", "SNP N/A or Peer")
        expected = expected.with_columns(not_snooped).sort(*SCRIPT_COLUMNS)
    assert {"OP LOAD", "OP STORE"} <= {text.split("|")[0] for text in expected["text"]}
    assert_frame_equal(ours.sort(*SCRIPT_COLUMNS), expected)


def perf_event_text(events: int) -> str:
    names = arm.event_names(events)
    bits = [name.removeprefix("IMPDEF:") for name in names if name.startswith("IMPDEF:")]
    known = [name for name in names if not name.startswith("IMPDEF:")]
    return " ".join(["EV", *known, *([f"IMPDEF:{','.join(bits)}"] if bits else [])])


def named_packets(dump: str) -> set[tuple[str, str]]:
    """Bytes and text of a dump's events and operation type packets with an assigned class."""
    packets = {(m["bytes"].strip(), m["text"] or "") for m in DUMP_LINE.finditer(dump)}
    return {p for p in packets if re.match(r"[4567]2|4[89a]", p[0]) and p[1] != "Bad packet!"}


def our_text(packet: str) -> str:
    header, *payload = bytes.fromhex(packet)
    if header & 0xF == 2:
        return perf_event_text(int.from_bytes(bytes(payload), "little"))
    return arm.operation_name(header & 3, payload[0]) or ""


def test_names_are_those_of_perfs_dumps(shared: Path) -> None:
    captures = shared / "captures"
    real = (captures / "spe-real/expected").glob("*.perf73.txt")
    synthetic = (captures / "spe-synthetic").glob("*.dump.txt.gz")
    dumps = [path.read_text() for path in real]
    dumps += [gzip.decompress(path.read_bytes()).decode() for path in synthetic]
    packets = set().union(*map(named_packets, dumps))
    assert len(packets) > 100
    assert {(packet, our_text(packet)) for packet, _ in packets} == packets


def example() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "cpu": [0, 1, None],
            "operation_class": [1, 2, None],
            "operation_payload": [0x1E, 0x12, None],
            "events": [0x36, 0x82, None],
            "data_source": [0xE, None, None],
        },
        {
            "cpu": pl.Int32,
            "operation_class": pl.UInt8,
            "operation_payload": pl.UInt8,
            "events": pl.UInt64,
            "data_source": pl.UInt16,
        },
    )


def test_explained_columns_come_after_the_recorded_ones() -> None:
    explained = arm.explain(example(), {None: 0x413F_D0C1})
    assert explained.columns == [*example().columns, *EXPLAINED_COLUMNS]
    assert explained.select(*EXPLAINED_COLUMNS).rows() == [
        ("LD AT EXCL AR", ["RETIRED", "L1D-ACCESS", "TLB-ACCESS", "TLB-REFILL"], "DRAM", "RAM", True,
         "NONE", False, False, True),
        ("B IND CR-RET", ["RETIRED", "MISPRED"], None, None, None, None, None, None, False),
        (None,) * 9,
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_lazy_frame_stays_lazy(engine) -> None:
    lazy = arm.explain(example().lazy(), {None: 0x413F_D0C1})
    assert isinstance(lazy, pl.LazyFrame)
    assert_frame_equal(lazy.collect(engine=engine), arm.explain(example(), {None: 0x413F_D0C1}))


def test_functions_need_no_polars() -> None:
    code = "import sys, spetrace.arm; assert not {'polars', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there() -> None:
    assert all(callable(getattr(arm, name)) for name in arm.__all__)
    assert set(dir(arm)) >= set(arm.__all__)
    with pytest.raises(AttributeError, match="no_such"):
        arm.no_such  # noqa: B018
