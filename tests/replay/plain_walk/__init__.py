"""A plain walk over an event log, one event at a time: the oracle of the replay engine.

It follows the replay's semantics sentence by sentence with dicts and sets per page, shares no
code with the engine (but the parameters), and is made for logs of some thousand events.
"""

from plain_walk.details import Details
from plain_walk.log import read_log
from plain_walk.loop import Walk
from plain_walk.strategies import STRATEGIES

__all__ = ["STRATEGIES", "Details", "read_log", "walk", "walk_in_detail"]


def walk(events, parameters, strategy):
    """The counters of one strategy: {"vms": {vm: {counter: int}}, "total": {counter: int}}."""
    return walk_in_detail(events, parameters, strategy).results


def walk_in_detail(events, parameters, strategy):
    """The counters, and what became of each record, blackout, abort and pinned byte."""
    return Walk(parameters, STRATEGIES[strategy]).run(events)
