"""Facts of the Arm architecture and pure functions on them; no state, no input or output."""

from spetrace.arm.events import event_names
from spetrace.arm.midr import cpu_name
from spetrace.arm.operation import Operation, decode_operation, operation_name

__all__ = ["Operation", "cpu_name", "decode_operation", "event_names", "operation_name"]
