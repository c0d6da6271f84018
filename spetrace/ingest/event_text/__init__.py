"""Text logs of tracepoints: ftrace and trace-cmd report."""
