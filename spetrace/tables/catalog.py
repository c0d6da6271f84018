"""The list of all tables: one line each."""

from spetrace.tables.aux_records import AUX_RECORDS
from spetrace.tables.events import EVENTS
from spetrace.tables.fidelity import FIDELITY
from spetrace.tables.kvm_exits import KVM_EXITS
from spetrace.tables.kvm_memory import REFAULTS, VM_STATE
from spetrace.tables.mappings import MAPPINGS
from spetrace.tables.profiles import PROFILE_TABLES
from spetrace.tables.quality import QUALITY
from spetrace.tables.recording_gaps import RECORDING_GAPS
from spetrace.tables.results import ABORTS, BLACKOUTS, OUTCOME, PINNED, RESULTS
from spetrace.tables.spe_records import SPE_RECORDS
from spetrace.tables.spe_register_accesses import SPE_REGISTER_ACCESSES
from spetrace.tables.stage2_faults import STAGE2_FAULTS
from spetrace.tables.sweep import RUNS
from spetrace.tables.threads import THREADS
from spetrace.tables.tracepoints import TRACEPOINTS

TABLES = {
    table.name: table
    for table in (
        SPE_RECORDS,
        AUX_RECORDS,
        RECORDING_GAPS,
        MAPPINGS,
        THREADS,
        TRACEPOINTS,
        KVM_EXITS,
        STAGE2_FAULTS,
        SPE_REGISTER_ACCESSES,
        VM_STATE,
        REFAULTS,
        EVENTS,
        QUALITY,
        RESULTS,
        BLACKOUTS,
        ABORTS,
        PINNED,
        OUTCOME,
        FIDELITY,
        RUNS,
        *PROFILE_TABLES,
    )
}
