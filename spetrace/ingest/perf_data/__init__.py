"""The perf.data container (tools/perf/Documentation/perf.data-file-format.txt)."""
