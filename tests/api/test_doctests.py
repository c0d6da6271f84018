"""The examples in the docstrings of the Python API run and give what they show."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = [f"spetrace.api.{path.stem}" for path in sorted((ROOT / "spetrace/api").glob("*.py"))
           if path.stem != "__init__"]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = doctest.testmod(import_module(name), globs={})
    assert found.failed == 0


def test_functions_that_make_something_have_an_example() -> None:
    finder = doctest.DocTestFinder()
    names = {
        test.name.rpartition(".")[2]
        for name in MODULES
        for test in finder.find(import_module(name))
        if test.examples
    }
    made = {"open_session", "replay", "compare", "load_results", "profile", "ingest", "sweep"}
    assert made | {"read_recording", "strategies", "KvmReport"} <= names
