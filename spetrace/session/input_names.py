"""The files in messages: what is wrong in a session names the side file or the recordings it is of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from spetrace.errors import InputError
from spetrace.session import event_map, toml_keys
from spetrace.session.options import SessionOptions
from spetrace.tables.recording import Recording

_Rest = ParamSpec("_Rest")
_Result = TypeVar("_Result")
_Assembles = Callable[Concatenate[Sequence[Recording], SessionOptions, _Rest], _Result]


def names_inputs(function: _Assembles[_Rest, _Result]) -> _Assembles[_Rest, _Result]:
    """The function, with the file's name in each InputError that has none yet."""

    @wraps(function)
    def naming(
        recordings: Sequence[Recording],
        options: SessionOptions,
        /,
        *rest: _Rest.args,
        **more: _Rest.kwargs,
    ) -> _Result:
        """Call the function; what it raises names the input."""
        try:
            return function(recordings, options, *rest, **more)
        except InputError as error:
            raise error.in_file(_place(error, recordings, options)) from error

    return naming


def _place(error: InputError, recordings: Sequence[Recording], options: SessionOptions) -> str:
    """The side file that the error is about, else all recordings."""
    side_files = {
        toml_keys.STRUCTURE: options.session_toml,
        event_map.STRUCTURE: options.event_map,
    }
    side_file = side_files.get(error.structure)
    return str(side_file or ", ".join(recording.name for recording in recordings))
