"""Fixtures of the SPE decoder's tests."""

from __future__ import annotations

import pytest
from ingest.spe.decoders import Decoder, decode_by_kernel, decode_by_reference


@pytest.fixture(params=[decode_by_kernel, decode_by_reference], ids=["kernel", "reference"])
def decode(request: pytest.FixtureRequest) -> Decoder:
    """Each of the two decoders: segments to row dicts and quality counts."""
    return request.param
