"""Which replay this is: results of one version can stand beside each other."""

from typing import Final

SEMANTICS_VERSION: Final = 1
"""Raised with every change that lets a replay of the same log, under the same parameters, count
otherwise: kept results of sweeps are then computed anew."""
