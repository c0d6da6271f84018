"""The decorators of what only kernels call.

How it works: a kernel (`njit(cache=True, nogil=True)`) is compiled on first use together with the steps
that it calls. A step can't be called from Python (but with NUMBA_DISABLE_JIT it can), and its code is
kept with the kernels', so that neither wrappers nor files of its own are made: that takes a fifth
off the time to compile.
"""

from __future__ import annotations

from typing import Any

from numba import njit

_OPTIONS: dict[str, Any] = {"nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def step(function: Any) -> Any:
    """The function, compiled for kernels alone."""
    return njit(**_OPTIONS)(function)


def inlined_step(function: Any) -> Any:
    """A step that becomes part of its callers: the smallest ones of the innermost loops, whose loads
    LLVM then sees together.
    """
    return njit(forceinline=True, **_OPTIONS)(function)
