"""Synthetic recordings by the captures' generator, with what it drew for each record as oracle."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

Array = npt.NDArray[Any]
Fields = dict[str, Array]

EVENTS_BYTES = {"n1": 2, "v1": 4, "kp": 2, "fvp": 1, "newv64": 8}
NS_PER_TICK = 40
"""The generator's TIME_CONV: 83886080 / 2**21."""
EXTENDED_COUNTER = 8
ADDRESS_BITS = np.uint64((1 << 56) - 1)


@dataclass(frozen=True)
class Generated:
    """A recording that the generator wrote."""

    path: Path
    options: Namespace
    fields: list[Fields]
    """What it drew for the records of each CPU."""
    payloads: list[bytes]
    """The SPE bytes of each CPU."""
    ends: list[Array]
    """Where each record ends in them."""

    def expected(self) -> pl.DataFrame:
        """The columns of table spe_records that the layout's packets tell."""
        return pl.concat(map(self._of_cpu, range(len(self.fields))))

    def _of_cpu(self, cpu: int) -> pl.DataFrame:
        told = self._told(self.fields[cpu])
        first_tid = self.options.pid + 1 + cpu * self.options.threads
        owner = (None, first_tid) if self.options.per_thread else (cpu, None)
        cpus, tids = (pl.lit(number, pl.Int32) for number in owner)
        return pl.DataFrame(told).select(cpus.alias("cpu"), tids.alias("tid"), *told)

    def _told(self, f: Fields) -> dict[str, pl.Series]:
        layout, options = self.options.layout, self.options
        always = np.ones(len(f["pc"]), bool)
        has_slots = layout in ("n1", "v1")
        tells_time, tells_issue = always & options.ts, always & (layout != "fvp")
        tells_source = f["ld"] & (has_slots or layout == "newv64")
        tells_pbt = f["br"] & options.pbt & (layout in ("v1", "newv64"))
        tells_pa = f["mem"] & options.pa
        events = f["ev"] & np.uint64((1 << 8 * EVENTS_BYTES[layout]) - 1)
        return {
            "timestamp_ticks": series(f["ts"], tells_time, pl.UInt64),
            "time_ns": series(f["ts"] * np.uint64(NS_PER_TICK), tells_time, pl.Int64),
            **instruction_address("pc", f["pc"], always),
            **instruction_address("branch_target", f["tgt"], f["br"]),
            **instruction_address("previous_branch_target", f["pbt"], tells_pbt),
            "va": series(sign_extended(f["va"]), f["mem"], pl.UInt64),
            "va_tag": series(f["va"] >> np.uint64(56), f["mem"], pl.UInt8),
            "pa": series(f["pa"] & ADDRESS_BITS, tells_pa, pl.UInt64),
            "pa_ns": series(f["pa"] >> np.uint64(63) != 0, tells_pa, pl.Boolean),
            "operation_class": series(f["cls"], always, pl.UInt8),
            "operation_payload": series(f["op"], always, pl.UInt8),
            "events": series(events, always, pl.UInt64),
            "total_latency_cycles": series(f["tot"], always, pl.UInt16),
            "issue_latency_cycles": series(f["iss"], tells_issue, pl.UInt16),
            "translation_latency_cycles": series(f["xlat"], f["mem"], pl.UInt16),
            "other_counters": other_counters(f["iss"], layout == "newv64"),
            "data_source": series(f["ds"], tells_source, pl.UInt16),
            "context_el2": series(f["tid"], always & options.ctx, pl.UInt32),
        }


def series(values: Array, told: Array, dtype: Any) -> pl.Series:
    """The values, null where they are not told."""
    frame = pl.DataFrame({"value": values, "told": told})
    return frame.select(pl.when("told").then(pl.col("value").cast(dtype))).to_series()


def instruction_address(name: str, payload: Array, told: Array) -> dict[str, pl.Series]:
    """Address, exception level and NS of a packet's payload."""
    level = payload >> np.uint64(61) & np.uint64(3)
    return {
        name: series(sign_extended(payload), told, pl.UInt64),
        f"{name}_exception_level": series(level, told, pl.UInt8),
        f"{name}_ns": series(payload >> np.uint64(63) != 0, told, pl.Boolean),
    }


def sign_extended(address: Array) -> Array:
    """The low 56 bits, with bit 55 in the top byte."""
    low = address & ADDRESS_BITS
    return np.where(low >> np.uint64(55) != 0, low | ~ADDRESS_BITS, low)


def other_counters(values: Array, told: bool) -> pl.Series:
    """One more counter for each record, where it is told."""
    counters = [[{"index": EXTENDED_COUNTER, "value": int(v)}] if told else None for v in values]
    return pl.Series(counters, dtype=pl.List(pl.Struct({"index": pl.UInt8, "value": pl.UInt16})))


def generate(script: Path, path: Path, words: Sequence[str]) -> Generated:
    """Run the generator in this process, and keep what it draws and encodes."""
    source = script.read_text(encoding="utf-8")
    assert source.endswith("\nmain()\n")
    module: dict[str, Any] = {"__name__": "generator"}
    exec(compile(source.removesuffix("main()\n"), script, "exec", dont_inherit=True), module)
    seen: list[tuple[Namespace, Fields]] = []
    encoded: list[tuple[Array, Array]] = []
    draw = module["fields"]

    def fields(rng: Any, n: int, cpu: int, options: Namespace, t0: int) -> Fields:
        seen.append((options, draw(rng, n, cpu, options, t0)))
        return seen[-1][1]

    def keeping(encode: Any) -> Any:
        def encoder(drawn: Fields, options: Namespace) -> tuple[Array, Array]:
            encoded.append(encode(drawn, options))
            return encoded[-1]

        return encoder

    module |= {"fields": fields, **{n: keeping(module[n]) for n in ("enc_slots", "enc_packed")}}
    with (
        mock.patch.object(sys, "argv", ["generator", str(path), *words]),
        mock.patch.dict(sys.modules, {"zstandard": ZSTANDARD}),
        np.errstate(over="ignore"),
    ):
        module["main"]()
    return Generated(
        path,
        seen[0][0],
        [drawn for _, drawn in seen],
        [payload.tobytes() for payload, _ in encoded],
        [ends for _, ends in encoded],
    )


ZSTANDARD: Any = SimpleNamespace(
    ZstdCompressor=lambda level: SimpleNamespace(
        compress=lambda data: pa.compress(data, codec="zstd", asbytes=True)
    )
)
"""The module that the generator compresses with, as far as it uses it."""
