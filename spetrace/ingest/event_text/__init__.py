"""Text logs of tracepoints: ftrace, trace-cmd report and perf script."""
