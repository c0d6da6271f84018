"""The whole way from recordings to a profile: open, count, name, save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from spetrace.errors import InputError, NothingToReplayError, UsageError
from spetrace.profile.compute import DEFAULT_TOP, Naming, build_profile
from spetrace.profile.kallsyms import STRUCTURE, Kallsyms, parse_kallsyms
from spetrace.profile.symbol_files import SymbolFiles
from spetrace.report.profile_files import FILES, save_profile
from spetrace.report.profile_view import Ranking
from spetrace.tables.profile import Profile
from spetrace.workflow.output_folder import output_folder
from spetrace.workflow.profile_inputs import ProfileInput, open_profile

Step = Callable[[str], Callable[[float], None]]


@dataclass(frozen=True)
class ProfileOptions:
    """What is asked of a profile."""

    top: int = DEFAULT_TOP
    """Rows of each ranking."""
    rankings: tuple[Ranking, ...] = tuple(Ranking)
    """Those that are shown in tables for people."""
    physical: bool = False
    """Whether data pages are physical ones."""
    cpu: int | None = None
    source: int | None = None
    kallsyms: Path | None = None
    symfs: Path | None = None


def _silent(_name: str) -> Callable[[float], None]:
    return lambda _done: None


def profile_files(
    paths: Sequence[Path],
    options: ProfileOptions | None = None,
    output: Path | None = None,
    step: Step = _silent,
    *,
    raw_spe: Sequence[Path] = (),
) -> Profile:
    """Profile a session folder or recordings, and save into `output` where one is given.

    `raw_spe` are recordings of bare SPE bytes. Raises TraceError and its children; nothing is left in `output` then.
    """
    options = options or ProfileOptions()
    if output is not None and output in paths:
        raise UsageError(f"{output}: the profile would be written into its own input")
    naming = Naming(_symbol_files(options.symfs), _kallsyms(options.kallsyms))
    with output_folder(output, FILES) if output else nullcontext() as folder:
        step("reading")
        opened = open_profile(paths, options.cpu, options.source, raw_spe)
        step("counting")
        profile = build_profile(
            opened.samples, naming, opened.gaps, top=options.top, physical=options.physical
        )
        _describe(profile, opened, options)
        if not profile.samples:
            raise NothingToReplayError("there is no SPE record to profile")
        if folder:
            step("writing the profile")
            save_profile(profile, folder, options.top, options.rankings)
    return profile


def _describe(profile: Profile, opened: ProfileInput, options: ProfileOptions) -> None:
    profile.inputs = opened.inputs
    profile.quality = opened.losses()
    choices = {
        "cpu": options.cpu,
        "source": options.source,
        "kallsyms": options.kallsyms,
        "symfs": options.symfs,
    }
    profile.choices = {k: str(value) for k, value in choices.items() if value is not None}


def _symbol_files(symfs: Path | None) -> SymbolFiles:
    if symfs is None:
        return SymbolFiles()
    if not symfs.is_dir():
        raise UsageError(f"--symfs {symfs}: is no directory")
    return SymbolFiles(symfs)


def _kallsyms(path: Path | None) -> Kallsyms | None:
    if path is None:
        return None
    try:
        return parse_kallsyms(path.read_bytes())
    except OSError as error:
        raise InputError(STRUCTURE, error.strerror or str(error), file=str(path)) from error
    except InputError as error:
        raise error.in_file(str(path)) from error
