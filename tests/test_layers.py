"""Which part may import which, and how long files and functions may be."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "spetrace").rglob("*.py"))
FOUNDATION = {"tables", "arm", "quality", "errors"}
PARTS = FOUNDATION | {
    "ingest", "session", "replay", "report", "profile", "kvm", "fidelity", "export", "sweep",
}  # fmt: skip
# Layer (a folder, or a module at the top) to the layers of ours that it may import.
MAY_IMPORT = {
    "errors": set(),
    "quality": set(),
    "arm": set(),
    "tables": {"arm", "quality", "errors"},
    "ingest": FOUNDATION | {"background", "spooled"},
    "session": FOUNDATION | {"spooled"},
    "replay": FOUNDATION,
    "report": FOUNDATION,
    "profile": FOUNDATION,
    "kvm": FOUNDATION | {"spooled"},
    "fidelity": FOUNDATION,
    "export": FOUNDATION,
    "sweep": {"replay", "tables", "errors"},
    "background": set(),
    "spooled": {"errors"},
    "kernel_cache": set(),
    "workflow": PARTS | {"background"},
    "api": PARTS | {"workflow"},
    "cli": PARTS | {"workflow"},
    "__init__": {"api", "kernel_cache", "errors"},
}
# Library to the places (prefixes of paths below spetrace/) that may import it.
ONLY_IN = {
    "numba": ("ingest/", "session/", "replay/", "arm/"),
    "plotly": ("report/plotly_page", "api/figures"),
    "typer": ("cli/",),
    "perfetto": ("export/packets",),
    "distributed": ("sweep/dask_cluster",),
    "dask": ("sweep/dask_cluster",),
}


def imports(tree: ast.AST) -> Iterator[str]:
    """Modules that a file imports anywhere in it, `from a import b` as a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "spetrace").parts
    return parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_keep_to_the_layers(path: Path) -> None:
    layer = layer_of(path)
    assert layer in MAY_IMPORT, f"{layer} is in no layer: add it to MAY_IMPORT and the README"
    place = path.relative_to(ROOT / "spetrace").as_posix()
    for module in imports(ast.parse(path.read_text(encoding="utf-8"))):
        package, _, rest = module.partition(".")
        if package == "spetrace":
            target = rest.split(".")[0]
            ours = {layer, "__version__"} | MAY_IMPORT[layer]
            assert target in ours, f"{place} imports {module}: {layer} must not import {target}"
        elif package in ONLY_IN:
            assert place.startswith(ONLY_IN[package]), f"{place} must not import {package}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_numba_only_in_kernels(path: Path) -> None:
    """A file that imports numba holds compiled functions, and its name or folder says so."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if any(module.split(".")[0] == "numba" for module in imports(tree)):
        decorators = [
            ast.unparse(d) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)
            for d in f.decorator_list
        ]  # fmt: skip
        makes_decorators = path.name == "kernel_step.py"
        assert makes_decorators or any(d.startswith(("njit", "numba.")) for d in decorators)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sizes_of_files_and_functions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


def test_files_are_short_in_the_median() -> None:
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in FILES]
    assert statistics.median(lengths) <= 130


def test_nothing_below_the_cli_prints() -> None:
    for path in FILES:
        if layer_of(path) != "cli":
            calls = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))
            assert not any(isinstance(c.func, ast.Name) and c.func.id == "print" for c in calls)
