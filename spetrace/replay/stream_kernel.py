"""Events of one window told apart by what a replay does with them, vCPU by vCPU."""

from __future__ import annotations

from typing import Any, Final

from numba import njit

NOTHING, RECORD, ERET_TO_EL0, ERET_TO_EL1, EXCEPTION, BUFFER_FULL = range(6)
"""Steps: what an event is to its vCPU's stream."""
LIMIT_WRITE, CONTROL_WRITE, OTHER_WRITE = 6, 8, 12
"""Steps of register writes: of PMBLIMITR_EL1 with E above, of PMSCR_EL1 with E0SPE and E1SPE above,
of the others."""

ENABLE, E0SPE, E1SPE, AT_EL1 = 1, 2, 4, 8
"""What is known of a vCPU after an event."""

ELIGIBLE, OTHER, ERET, USER_ERET, OWN = range(5)
"""Lists of a stream: `sort_events` counts and fills them."""
LISTS: Final = 5


@njit(cache=True, nogil=True)
def classify(steps: Any, vcpus: Any, state: Any, counts: Any) -> None:
    """Put each event's list + 1 in place of its step, 0 for none; count per vCPU and list.

    `state` is what is known of each vCPU before the first event, and then after the last. An ERET to
    EL0 is in USER_ERET and counts for ERET, too.
    """
    for i in range(len(steps)):
        step, vcpu = steps[i], vcpus[i]
        steps[i] = 0
        if step == NOTHING:
            continue
        known = state[vcpu]
        if step == RECORD:
            wanted = E1SPE if known & AT_EL1 else E0SPE
            found = ELIGIBLE if known & ENABLE and known & wanted else OTHER
            steps[i] = found + 1
            counts[vcpu, found] += 1
        elif step == EXCEPTION:
            state[vcpu] = known | AT_EL1
        elif step in (ERET_TO_EL0, ERET_TO_EL1):
            if known & ENABLE and known & E0SPE and not known & E1SPE:
                counts[vcpu, ERET] += 1
                steps[i] = ERET + 1
                if step == ERET_TO_EL0:
                    counts[vcpu, USER_ERET] += 1
                    steps[i] = USER_ERET + 1
            state[vcpu] = known & ~AT_EL1 if step == ERET_TO_EL0 else known | AT_EL1
        else:
            counts[vcpu, OWN] += 1
            steps[i] = OWN + 1
            if step == BUFFER_FULL:
                continue
            known |= AT_EL1
            if step >= OTHER_WRITE:
                pass
            elif step >= CONTROL_WRITE:
                known = known & ~(E0SPE | E1SPE) | (step - CONTROL_WRITE) << 1
            else:
                known = known & ~ENABLE | (step - LIMIT_WRITE)
            state[vcpu] = known


@njit(cache=True, nogil=True)
def place_events(
    lists: Any, vcpus: Any, times: Any, sizes: Any, rows: Any, at: Any, out: Any, out_rows: Any
) -> None:
    """Fill the lists of all vCPUs, one after the other.

    `lists` are as `classify` leaves them, `at` per vCPU and list where its first entry belongs. `out`
    are the eligible records' places, times and running sizes (one more per vCPU, the first 0), the
    other records' places, the ERETs', those to EL0 and their times, and the eligible records before
    each event of OWN. `out_rows` are the rows of eligible and other records, where `rows` has any.
    """
    eligible, record_times, sums, others, erets, user_erets, user_times, own = out
    eligible_rows, other_rows = out_rows
    first = at.copy()
    keeps_rows = len(rows) > 0
    for i in range(len(lists)):
        found = lists[i] - 1
        if found < 0:
            continue
        vcpu = vcpus[i]
        k = at[vcpu, found]
        at[vcpu, found] = k + 1
        if found == ELIGIBLE:
            eligible[k] = i
            record_times[k] = times[i]
            sums[k + vcpu + 1] = sums[k + vcpu] + sizes[i]
            if keeps_rows:
                eligible_rows[k] = rows[i]
        elif found == OTHER:
            others[k] = i
            if keeps_rows:
                other_rows[k] = rows[i]
        elif found == OWN:
            own[k] = at[vcpu, ELIGIBLE] - first[vcpu, ELIGIBLE]
        elif found == ERET:
            erets[k] = i
        else:
            user_erets[k] = i
            user_times[k] = times[i]
            erets[at[vcpu, ERET]] = i
            at[vcpu, ERET] += 1
