"""Everything that fuzzing found worth keeping gives a recording or our error."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz.fuzz_targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_corpus_raises_nothing_but_our_error(name: str) -> None:
    inputs = sorted((CORPUS / name).iterdir())
    assert inputs
    for path in inputs:
        TARGETS[name](path.read_bytes())
