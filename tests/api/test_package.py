"""The package's public names: there, typed, and not imported before they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import spetrace

PACKAGE = Path(spetrace.__file__).parent


def python(code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_importing_the_package_imports_no_library() -> None:
    out = python(
        "import sys, spetrace; "
        "print({'polars', 'pyarrow', 'numpy', 'numba', 'plotly', 'typer'} & set(sys.modules))"
    )
    assert out == "set()\n"


def test_functions_stand_whatever_was_imported_of_the_folders_of_their_names() -> None:
    out = python(
        "import spetrace.replay.engine, spetrace.ingest.importer, spetrace.profile.compute\n"
        "import spetrace.sweep.grid\n"
        "from spetrace.replay.strategy import Strategy\n"
        "import spetrace\n"
        "print(*(callable(getattr(spetrace, n)) for n in ('replay', 'ingest', 'profile', 'sweep')))"
    )
    assert out == "True True True True\n"


def test_public_names_are_all_there() -> None:
    assert set(spetrace.__all__) < set(dir(spetrace))
    for name in spetrace.__all__:
        member = getattr(spetrace, name)
        assert member.__doc__
        assert member.__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = spetrace.nothing


def test_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()
