"""Coverage-guided fuzzing of the readers, each alone and all of a replay: any bytes give what they
hold or our error, never another.

    pip install -e '.[test,fuzz]'
    python tests/fuzz/fuzz_readers.py perf_data tests/fuzz/corpus/perf_data -max_total_time=900

The kernels run as plain Python here, so that their branches count as coverage too. Inputs that find
something new are kept in the corpus folder; `tests/fuzz/test_corpus.py` runs what is kept there.
"""

from __future__ import annotations

import os
import sys

os.environ["NUMBA_DISABLE_JIT"] = "1"

import atheris

with atheris.instrument_imports(include=["spetrace"]):
    from fuzz_targets import TARGETS


def main() -> None:
    """Fuzz the target named first, with libFuzzer's own arguments behind."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
