"""The captures of a sweep: what identifies each, and its session prepared for many replays."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from spetrace import __version__
from spetrace.errors import InputError, UsageError
from spetrace.ingest.importer import importers, map_file, sha256
from spetrace.replay.parameters import Parameters
from spetrace.session.assemble import assemble_placements
from spetrace.session.costs import MEASURED
from spetrace.session.options import ASSEMBLED_WITH, SessionOptions
from spetrace.session.session_toml import SessionToml, read_session_toml
from spetrace.sweep.grid import nested
from spetrace.sweep.locations import fetch_input, is_url
from spetrace.sweep.plan import Capture, digest
from spetrace.sweep.prepared import PlacementMaps, save_prepared
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.session import Session
from spetrace.tables.stage2_faults import STAGE2_FAULTS
from spetrace.workflow import cost_basis
from spetrace.workflow.output_folder import output_folder
from spetrace.workflow.pipeline import open_session, read_all, silent
from spetrace.workflow.session_folder import (
    DESCRIPTION,
    describe_session,
    event_log_of,
    is_session_folder,
)
from spetrace.workflow.session_folder import quality_table as counters_of

Step = Callable[[str], Callable[[float], None]]
SESSION_FACTS: Final = "session.json"
_EVENT_LOG_FORMAT: Final = "event log"
_HEAD_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class CaptureInput:
    """One capture as it was asked for: a name, and its files (paths or URLs) or its one folder."""

    name: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class SweepSource:
    """One capture whose files are on this machine."""

    capture: Capture
    paths: tuple[Path, ...]
    options: SessionOptions


def find_sources(
    captures: Sequence[CaptureInput],
    options: SessionOptions,
    placements: int,
    downloads: Path,
    step: Step = silent,
) -> list[SweepSource]:
    """The captures with their files fetched (URLs into `downloads`) and hashed.

    Raises InputError for a file that can't be read, UsageError for a name or recordings that are
    there twice, no capture, or `placements` of a capture that is assembled already.
    """
    if not captures:
        raise UsageError("no capture: give a session folder, an event log or --capture NAME=FILE")
    names = [capture.name for capture in captures]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two captures are named {name!r}: give names by --capture NAME=FILE")
    sources = [_source(capture, options, placements, downloads, step) for capture in captures]
    _check_distinct([source.capture for source in sources])
    return sources


def _check_distinct(captures: Sequence[Capture]) -> None:
    """Raise UsageError where two captures are the same: a run is known by content, not by name."""
    names: dict[str, str] = {}
    for capture in captures:
        other = names.setdefault(capture.content, capture.name)
        if other != capture.name:
            raise UsageError(f"captures {other} and {capture.name} are of the same bytes: give one")


def check_page_sizes(sources: Sequence[SweepSource], sizes: Sequence[int]) -> None:
    """Raise UsageError where a session that is assembled already was to have several page sizes."""
    for source in sources:
        if len(sizes) > 1 and "memory_bytes" not in source.capture.shaped_by:
            raise UsageError(
                f"--set page_size: capture {source.capture.name} is an event log, whose events are "
                "in pages of one size: sweep over page sizes with the recordings it was made from"
            )


def _source(
    capture: CaptureInput, options: SessionOptions, placements: int, downloads: Path, step: Step
) -> SweepSource:
    step(f"reading {capture.name}")
    local = [_local(file, downloads / capture.name) for file in capture.files]
    tomls = [path for path in local if path.suffix == ".toml"]
    paths = tuple(path for path in local if path.suffix != ".toml")
    if len(tomls) > 1 or not paths:
        raise UsageError(f"capture {capture.name}: needs recordings, and at most one session.toml")
    options = replace(options, session_toml=tomls[0]) if tomls else options
    folder = any(is_session_folder(path) for path in paths)
    if folder:
        options = SessionOptions(costs=options.costs)
    assembled = folder or all(map(_is_event_log, paths))
    if placements and assembled:
        raise UsageError(
            f"--placements: capture {capture.name} is assembled already, its buffers' places with "
            "it: give the recordings"
        )
    seeds = range(placements) if placements else ()
    placement, first = _placement(options)
    scattered = placement == "scattered" and not assembled
    return SweepSource(
        Capture(
            capture.name,
            _content(paths, options),
            ("page_size",) if assembled else ASSEMBLED_WITH,
            tuple(first + seed for seed in seeds),
            first if scattered and not placements else None,
        ),
        paths,
        options,
    )


def _placement(options: SessionOptions) -> tuple[str | None, int]:
    """How buffers are placed, and the first seed: flags over session.toml."""
    toml = read_session_toml(options.session_toml) if options.session_toml else SessionToml()
    seed = toml.placement_seed if options.placement_seed is None else options.placement_seed
    return options.placement or toml.placement, seed or 0


def _local(location: str, downloads: Path) -> Path:
    return fetch_input(location, downloads) if is_url(location) else Path(location)


def _is_event_log(path: Path) -> bool:
    head = bytes(map_file(path)[:_HEAD_BYTES])
    found = next((importer for importer in importers() if importer.sniff(head)), None)
    return found is not None and found.name.startswith(_EVENT_LOG_FORMAT)


def _content(paths: Sequence[Path], options: SessionOptions) -> str:
    """The hash of all that a session is made of."""
    files: list[Path] = []
    for path in paths:
        files += _files_of(path, measured=options.costs == MEASURED)
    said = asdict(options) | {"parameters": None, "session_toml": None, "vmm_maps": None}
    said |= {"event_map": None, "placement_seed": None}
    names: list[str] = []
    if options.session_toml:
        names = [path.name for path in paths]
        maps = read_session_toml(options.session_toml).vmm_maps
        files += [options.session_toml] + ([options.session_toml.parent / maps] if maps else [])
    files += [path for path in (options.vmm_maps, options.event_map) if path]
    if options.costs and options.costs != MEASURED:
        files.append(Path(options.costs))
        said["costs"] = "file"
    return digest([__version__, [_hash(path) for path in files], said, names])


def _files_of(path: Path, *, measured: bool) -> list[Path]:
    """A recording, or what of a session folder is read; costs are measured from its KVM tables."""
    if not is_session_folder(path):
        return [path]
    tables = [path / f"{table.name}.parquet" for table in (KVM_EXITS, STAGE2_FAULTS)]
    read = [file for file in tables if measured and file.is_file()]
    return [path / DESCRIPTION, event_log_of(path), *read]


def _hash(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        raise InputError("file", error.strerror or str(error), file=str(path)) from error


def prepare_session(
    source: SweepSource, shape: Mapping[str, Any], folder: Path, step: Step = silent
) -> None:
    """Write the prepared session of a source under the parameters `shape` as `folder`.

    Raises what `open_session` does, and UsageError where nothing of a placement can be drawn anew.
    """
    given = nested(shape)
    options = replace(source.options, parameters=given or None)
    session, maps = _open(source, options, step)
    found = {"costs": cost_basis.known(session.costs)}
    parameters = Parameters().updated(session.parameters).updated(found).overridden(given)
    step(f"preparing {source.capture.name}")
    with output_folder(folder) as target:
        save_prepared(target, session.iter_events(), parameters, maps)
        facts = describe_session(session) | {"quality": _losses(session)}
        (target / SESSION_FACTS).write_text(json.dumps(facts), encoding="utf-8")


def _open(
    source: SweepSource, options: SessionOptions, step: Step
) -> tuple[Session, PlacementMaps | None]:
    seeds = source.capture.seeds
    if not seeds:
        return open_session(source.paths, options, step, hold_events=False), None
    recordings = read_all(source.paths, step)
    step(f"assembling {source.capture.name}")
    session, placements = assemble_placements(recordings, options, seeds)
    session.costs = cost_basis.find_costs(options.costs, lambda: session.tables)
    for facts, path in zip(session.inputs, source.paths, strict=True):
        facts["sha256"] = sha256(path)
    maps = PlacementMaps(placements.place, placements.ipa)
    first = placements.ipa[seeds[0]]
    if not len(first) or (
        len(seeds) > 1 and all((first == ipa).all() for ipa in maps.ipa.values())
    ):
        raise UsageError(
            f"--placements: capture {source.capture.name} says where its buffers lie, or has none"
        )
    return session, maps


def _losses(session: Session) -> list[dict[str, Any]]:
    table: pa.Table = counters_of(session.quality)
    losses: list[dict[str, Any]] = table.to_pylist()
    return losses
