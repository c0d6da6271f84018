"""Every test asserts something: itself, or by what it calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MEASURE = TESTS / "bench"


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """All functions of the tests with where they stand, but for benchmarks: these measure."""
    for path in sorted(TESTS.rglob("*.py")):
        if MEASURE not in path.parents:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef):
                    yield f"{path.relative_to(TESTS)}:{node.lineno} {node.name}", node


def called(function: ast.FunctionDef) -> set[str]:
    """The last part of the names of what it calls; keywords that make a call fail, as `check=`."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    names = {ast.unparse(call.func).rpartition(".")[2] for call in calls}
    return names | {f"{keyword.arg}=" for call in calls for keyword in call.keywords}


def asserts(function: ast.FunctionDef, asserting: set[str]) -> bool:
    """Whether an assert statement is in it, or a call of what asserts."""
    names = called(function)
    return (
        any(isinstance(node, ast.Assert) for node in ast.walk(function))
        or bool(names & asserting)
        or any(name.startswith("assert_") for name in names)
    )


def idle(found: list[tuple[str, ast.FunctionDef]]) -> list[str]:
    """Tests that assert nothing, however deep their calls are followed."""
    asserting, before = {"raises", "fail", "check="}, set()
    while asserting != before:
        before = asserting
        asserting = before | {node.name for _, node in found if asserts(node, before)}
    return [
        place
        for place, node in found
        if node.name.startswith("test_") and not asserts(node, asserting)
    ]


def test_every_test_asserts_something() -> None:
    assert idle(list(functions())) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("helper()\ndef helper():\n    return 1", ["x test_it"]),
        ("helper()\ndef helper():\n    deeper()\ndef deeper():\n    assert 0", []),
        ("with pytest.raises(ValueError): int('x')", []),
        ("subprocess.run(['true'], check=True)", []),
        ("testing.assert_frame_equal(a, b)", []),
        ("pass", ["x test_it"]),
    ],
)
def test_idle_tests_are_found(body: str, expected: list[str]) -> None:
    tree = ast.parse(f"def test_it():\n    {body}")
    found = [
        (f"x {node.name}", node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    ]
    assert idle(found) == expected
