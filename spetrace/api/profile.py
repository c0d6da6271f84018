"""A profile of SPE records, as frames and figures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from spetrace.api.figures import figure
from spetrace.api.frames import frame_of
from spetrace.api.keywords import File
from spetrace.errors import UsageError
from spetrace.report.profile_charts import draw_charts
from spetrace.report.profile_files import FILES, save_profile
from spetrace.report.profile_html import render_profile_html
from spetrace.report.profile_json import render_profile_json
from spetrace.report.profile_view import view_profile
from spetrace.tables.profile import Profile as Counted
from spetrace.workflow.output_folder import output_folder
from spetrace.workflow.profiling import ProfileOptions, profile_files

if TYPE_CHECKING:
    from spetrace.api.figures import Figure


def profile(
    *files: File,
    raw_spe: Iterable[File] = (),
    top: int = 20,
    physical: bool = False,
    cpu: int | None = None,
    source: int | None = None,
    kallsyms: File | None = None,
    symfs: File | None = None,
) -> Profile:
    """Count the samples of recordings, or of a session folder, by function, PC, page and latency.

    `raw_spe` are files of bare SPE bytes. The other keywords are the options of
    `spetrace profile --help`; `physical` ranks data pages by their physical address. Raises NothingToReplayError where there is no SPE record.

    >>> import spetrace
    >>> found = spetrace.profile("sample_traces/spe-neoverse-n1/spe.perf.data")
    >>> found.samples, found.functions["samples"].sum()
    (3124, 3124)
    """
    paths, raw = [Path(file) for file in files], [Path(file) for file in raw_spe]
    if not paths and not raw:
        raise UsageError("no input: give a file")
    options = ProfileOptions(
        top=top,
        physical=physical,
        cpu=cpu,
        source=source,
        kallsyms=None if kallsyms is None else Path(kallsyms),
        symfs=None if symfs is None else Path(symfs),
    )
    return Profile(profile_files(paths, options, raw_spe=raw), top)


class Profile:
    """Where a recording's samples are, and what they waited for; its tables as polars frames."""

    def __init__(self, counted: Counted, top: int) -> None:
        self.counted = counted
        """The profile as `spetrace profile` has it, with Arrow tables."""
        self._top = top

    @property
    def samples(self) -> int:
        """How many records were counted."""
        return self.counted.samples

    @property
    def functions(self) -> pl.DataFrame:
        """Table profile_functions: the most frequent functions."""
        return frame_of(self.counted.functions)

    @property
    def pcs(self) -> pl.DataFrame:
        """Table profile_pcs: the most frequent instructions, and those most mispredicted."""
        return frame_of(self.counted.pcs)

    @property
    def pages(self) -> pl.DataFrame:
        """Table profile_pages: the most frequent data pages of 4 KiB."""
        return frame_of(self.counted.pages)

    @property
    def latencies(self) -> pl.DataFrame:
        """Table profile_latencies: percentiles by operation, data source and TLB outcome."""
        return frame_of(self.counted.latencies)

    @property
    def events(self) -> pl.DataFrame:
        """Table profile_events: records by operation and event."""
        return frame_of(self.counted.events)

    @property
    def cpus(self) -> pl.DataFrame:
        """Table profile_cpus: per AUX stream its samples and gaps."""
        return frame_of(self.counted.cpus)

    @property
    def rates(self) -> pl.DataFrame:
        """Table profile_rates: samples of each AUX stream over time."""
        return frame_of(self.counted.rates)

    @property
    def quality(self) -> pl.DataFrame:
        """What the recordings lost or left odd."""
        return frame_of(self.counted.quality)

    def plot_latencies(self) -> Figure:
        """Total latency of loads by data source, and of stores."""
        return self._figure("latencies")

    def plot_addresses(self) -> Figure:
        """Sampled data addresses over time."""
        return self._figure("addresses")

    def plot_rates(self) -> Figure:
        """Samples per second of each AUX stream, and the recording's gaps."""
        return self._figure("rates")

    def report_html(self) -> str:
        """profile.html."""
        return render_profile_html(self.counted, view_profile(self.counted, self._top))

    def report_json(self) -> str:
        """profile.json."""
        return render_profile_json(self.counted)

    def save(self, folder: File) -> None:
        """Write profile.html, profile.json and the tables; raises OutputError where refused."""
        with output_folder(Path(folder), FILES) as made:
            save_profile(self.counted, made, self._top, ProfileOptions().rankings)

    def __repr__(self) -> str:
        return f"Profile of {self.samples:,} samples"

    def _repr_html_(self) -> str:
        return f"<p>{self!r}; its most frequent functions:</p>{self.functions._repr_html_()}"

    def _figure(self, name: str) -> Figure:
        charts = (drawing.chart for drawing in draw_charts(self.counted))
        return figure(next((c for c in charts if c.name == name), None), f"{name} to draw")
