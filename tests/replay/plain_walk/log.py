"""An event log as dicts: defaults filled in, numbers as integers, sorted by time."""

import json

NUMBERS = ("ts", "vm", "vcpu", "value", "to_el", "bytes", "va", "ipa", "pages")
DEFAULTS = {
    "stage1_map": {"tables": []},
    "stage2_map": {"writable": True},
    "stage2_unmap": {"cause": "unknown"},
}


def read_log(path):
    """(the session line without its kind, the events) of a JSON Lines file."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    session = {}
    if lines and lines[0]["kind"] == "session":
        session = {name: value for name, value in lines.pop(0).items() if name != "kind"}
    return session, lines


def plain_events(events):
    """The events with every field that their kind has, in the order of their effects."""
    return sorted((_plain(event) for event in events), key=lambda event: event["ts"])


def _plain(event):
    plain = {"vm": 0, "vcpu": 0} | DEFAULTS.get(event["kind"], {}) | event
    for name in NUMBERS:
        if name in plain:
            plain[name] = _integer(plain[name])
    if plain["kind"] == "stage1_map":
        plain["tables"] = [_integer(table) for table in plain["tables"] or []]
    return plain


def _integer(value):
    return int(value, 0) if isinstance(value, str) else value
