"""Work in threads, for kernels that run without the interpreter's lock."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

THREADS = min(os.cpu_count() or 1, 4)

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    work: Callable[[T], R], items: Iterable[T], is_long: Callable[[T], bool] = lambda _item: True
) -> Iterator[R]:
    """The results for `items` in their order; of those with long work a few are made ahead, by several
    threads.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        ahead: deque[Callable[[], R]] = deque()
        for item in items:
            is_ahead = is_long(item)
            ahead.append(pool.submit(work, item).result if is_ahead else partial(work, item))
            if len(ahead) > THREADS:
                yield ahead.popleft()()
        while ahead:
            yield ahead.popleft()()
