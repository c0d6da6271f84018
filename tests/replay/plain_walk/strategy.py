"""What a strategy can do, and that it does nothing but abort unless it says so."""


class Strategy:
    traps_registers = False
    has_stage2 = True

    def __init__(self, walk):
        self.walk = walk

    def refuses(self, cause):
        """Whether a pinned page outlives a stage2_unmap of that cause."""
        return cause in self.walk.parameters.refused_causes

    def on_first_event(self, vm):
        """Before the effects of a VM's first event."""

    def on_disabled(self, vcpu):
        """E goes from 1 to 0."""

    def on_armed(self, vcpu):
        """The buffer is live at some EL."""

    def on_enabled(self, vcpu):
        """Profiling is enabled by a register write."""

    def on_eret(self, vcpu, to_el):
        """An ERET is about to be executed."""

    def on_epoch_end(self, vcpu):
        """An epoch ends, before its written records become captured."""

    def on_stage1_change(self, vm, va_page):
        """The mapping of a VA page is another one from now on."""

    def take_record(self, vcpu, record, size):
        """The outcome ("written" for now) where the strategy takes the record itself, or None."""

    def on_stage2_fault(self, vcpu, fault):
        self.walk.abort(vcpu, fault)

    def next_release(self):
        """When the next timed release is due, or None."""

    def release_due(self, ts):
        """Release what is due at that time."""
