"""What can go wrong: one root class, one sentence per cause, an exit code per class."""

from __future__ import annotations


class TraceError(Exception):
    """Root of all errors that spetrace raises on purpose; its text is one clear sentence."""

    exit_code = 3


class InputError(TraceError):
    """An input that can't be read, or not any further.

    Decoders raise it with `structure`, `cause` and the place (`offset` in bytes or `line`, from 1)
    and know no file; whoever opened the file adds its name with `in_file`.
    """

    def __init__(
        self,
        structure: str,
        cause: str,
        *,
        offset: int | None = None,
        line: int | None = None,
        file: str | None = None,
    ) -> None:
        super().__init__(structure, cause)
        self.structure = structure
        self.cause = cause
        self.offset = offset
        self.line = line
        self.file = file

    def in_file(self, file: str) -> InputError:
        """The same error, placed in `file` (kept if one was set already)."""
        self.file = self.file or file
        return self

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        if self.offset is not None:
            place.append(f"byte {self.offset}")
        if self.line is not None:
            place.append(f"line {self.line}")
        return ": ".join([*place, self.structure, self.cause])


class UsageError(TraceError):
    """A wrong option or parameter value."""

    exit_code = 2


class OutputError(TraceError):
    """An output that can't be written: no space, no permission, not a folder."""


class NothingToReplayError(TraceError):
    """The inputs are readable, but lack what was to be replayed, shown or aligned: SPE or KVM data."""

    exit_code = 4


class ConditionError(TraceError):
    """A condition on results that was to fail the command (`spetrace compare --fail-if`) holds."""

    exit_code = 1
