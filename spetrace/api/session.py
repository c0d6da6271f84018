"""A recorded session as frames, and all that can be made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from spetrace.api.folder import FolderOrigin
from spetrace.api.keywords import AssumedLoad, File, session_options
from spetrace.api.kvm import KvmReport
from spetrace.api.notebook import inputs_html
from spetrace.api.origin import Origin
from spetrace.api.profile import Profile, profile
from spetrace.api.recordings import RecordingOrigin
from spetrace.errors import UsageError
from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.events import EVENTS
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE
from spetrace.tables.mappings import MAPPINGS
from spetrace.tables.quality import QUALITY
from spetrace.tables.recording_gaps import RECORDING_GAPS
from spetrace.tables.spe_records import SPE_RECORDS
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES
from spetrace.tables.stage2_faults import STAGE2_FAULTS
from spetrace.tables.threads import THREADS
from spetrace.workflow.kvm_analysis import analyse_kvm

if TYPE_CHECKING:
    from spetrace.api.figures import Figure


def open_session(
    *files: File,
    raw_spe: Iterable[File] = (),
    assume_spe: AssumedLoad | None = None,
    session_toml: File | None = None,
    vmm_maps: File | None = None,
    ram_base: int | None = None,
    ram_bytes: int | None = None,
    clock_offset_ns: int | None = None,
    stage2_from: str | None = None,
    infer_read_only: bool | None = None,
    aux_bytes: int | None = None,
    placement: str | None = None,
    placement_seed: int | None = None,
    buffer_touched: bool | None = None,
    event_map: File | None = None,
) -> Session:
    """One session from recordings and event logs, or from a folder that `spetrace ingest` wrote.

    Files come in any mix and order, their content decides the format; `raw_spe` are files of bare
    SPE bytes. The other keywords are the options of `spetrace replay --help` with their names (and
    `session_toml` for --session, `clock_offset_ns` for --clock-offset, `buffer_touched=False` for
    --no-buffer-touched); `assume_spe` is True or a dictionary of period_ns, record_bytes and
    buffer_bytes. Recordings are read at once, a
    table is made when its frame is collected. Raises InputError for a file that can't be read,
    UsageError for a wrong option or a folder that is not alone.

    >>> import polars as pl, spetrace
    >>> traces = "sample_traces/spe-on-kvm"
    >>> session = spetrace.open_session(
    ...     f"{traces}/guest.perf.data", f"{traces}/host.dat", session_toml=f"{traces}/session.toml"
    ... )
    >>> session.spe_records.filter(pl.col("pc") >= 1 << 63).select(pl.len()).collect().item()
    383
    >>> session.tracepoints["kvm_exit"].group_by("vcpu").len().sort("vcpu").collect().rows()
    [(0, 3232), (1, 1596)]
    """
    options = session_options(locals())
    paths, raw = [Path(file) for file in files], [Path(file) for file in raw_spe]
    if not paths and not raw:
        raise UsageError("no input: give a file")
    folder = next((path for path in paths if path.is_dir()), None)
    if folder is None:
        return Session(RecordingOrigin(paths, options, raw))
    if len(paths) + len(raw) > 1:
        raise UsageError(f"{folder}: a session folder is opened alone, without other inputs")
    if given := [name for name, value in vars(options).items() if value is not None]:
        raise UsageError(f"{folder}: a session folder is assembled already: {given[0]} is late")
    return Session(FolderOrigin(folder))


class Session:
    """A recorded session: every table as a polars LazyFrame, times on one clock.

    A table that the inputs don't give has no rows. `spetrace schema NAME` tells its columns.
    """

    def __init__(self, origin: Origin) -> None:
        self.origin = origin

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Per input file its name, format and size."""
        return self.origin.inputs

    @property
    def facts(self) -> dict[str, Any]:
        """What session.json says: inputs, clocks, machines, parameters, assumptions, versions."""
        return self.origin.facts

    @property
    def spe_records(self) -> pl.LazyFrame:
        """One row per SPE sample record; of recordings only the columns that are used are decoded."""
        return self.origin.scan(SPE_RECORDS)

    @property
    def events(self) -> pl.LazyFrame:
        """The event log that a replay reads; no rows where there is nothing to replay."""
        return self.origin.scan(EVENTS)

    @property
    def tracepoints(self) -> Mapping[str, pl.LazyFrame]:
        """Per tracepoint its events: common columns, VM and vCPU, then its own fields."""
        return self.origin.tracepoints

    @property
    def quality(self) -> pl.LazyFrame:
        """What the inputs lost or left odd; collecting it reads all of them."""
        return self.origin.scan(QUALITY)

    @property
    def aux_records(self) -> pl.LazyFrame:
        """One row per PERF_RECORD_AUX."""
        return self.origin.scan(AUX_RECORDS)

    @property
    def recording_gaps(self) -> pl.LazyFrame:
        """When the SPU could not record, and how many records that may have cost."""
        return self.origin.scan(RECORDING_GAPS)

    @property
    def mappings(self) -> pl.LazyFrame:
        """What was mapped where in the recorded processes."""
        return self.origin.scan(MAPPINGS)

    @property
    def threads(self) -> pl.LazyFrame:
        """The recorded threads' names over time."""
        return self.origin.scan(THREADS)

    @property
    def kvm_exits(self) -> pl.LazyFrame:
        """One row per exit of a guest, with its class and handling time."""
        return self.origin.scan(KVM_EXITS)

    @property
    def stage2_faults(self) -> pl.LazyFrame:
        """One row per stage-2 fault of a guest."""
        return self.origin.scan(STAGE2_FAULTS)

    @property
    def spe_register_accesses(self) -> pl.LazyFrame:
        """Trapped accesses to SPE's registers."""
        return self.origin.scan(SPE_REGISTER_ACCESSES)

    @property
    def vm_state(self) -> pl.LazyFrame:
        """Mapped and writable pages of each VM over time."""
        return self.origin.scan(VM_STATE)

    @property
    def refaults(self) -> pl.LazyFrame:
        """Faults on pages that had been mapped and unmapped."""
        return self.origin.scan(REFAULTS)

    @cached_property
    def kvm(self) -> KvmReport:
        """What KVM did, by VM, with its charts; NothingToReplayError without a kvm_exit."""
        origin = self.origin
        return KvmReport(analyse_kvm(origin.paths, origin.options, raw_spe=origin.raw_spe))

    def profile(
        self,
        *,
        top: int = 20,
        physical: bool = False,
        cpu: int | None = None,
        source: int | None = None,
        kallsyms: File | None = None,
        symfs: File | None = None,
    ) -> Profile:
        """Where the samples are and what they waited for, as `spetrace.profile` does."""
        return profile(
            *self.origin.paths, raw_spe=self.origin.raw_spe, top=top, physical=physical, cpu=cpu,
            source=source, kallsyms=kallsyms, symfs=symfs,
        )  # fmt: skip

    def plot_latencies(self) -> Figure:
        """Total latency of loads by data source, and of stores."""
        return self._profile.plot_latencies()

    def plot_addresses(self) -> Figure:
        """Sampled data addresses over time."""
        return self._profile.plot_addresses()

    def plot_rates(self) -> Figure:
        """Samples per second of each AUX stream, and the recording's gaps."""
        return self._profile.plot_rates()

    def plot_exits(self, vm: int = 0) -> Figure:
        """Exits of a VM by class, and the time that handling them took."""
        return self.kvm.plot_exits(vm)

    def plot_stage2_faults(self, vm: int = 0) -> Figure:
        """Stage-2 faults of a VM over time."""
        return self.kvm.plot_stage2_faults(vm)

    def plot_mapped_pages(self, vm: int = 0) -> Figure:
        """Mapped and writable pages of a VM over time."""
        return self.kvm.plot_mapped_pages(vm)

    def __repr__(self) -> str:
        return f"Session of {', '.join(str(i.get('name')) for i in self.inputs)}"

    def _repr_html_(self) -> str:
        return inputs_html(self.inputs, self.tracepoints)

    @cached_property
    def _profile(self) -> Profile:
        return self.profile()
