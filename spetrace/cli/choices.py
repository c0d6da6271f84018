"""The options that take one of a few words."""

from enum import StrEnum


class ReportFormat(StrEnum):
    """How `spetrace replay` shows its result."""

    TABLE = "table"
    JSON = "json"
    TEXT = "text"


class TextFormat(StrEnum):
    """Text for people or JSON for scripts."""

    TEXT = "text"
    JSON = "json"


class KvmFormat(StrEnum):
    """How `spetrace kvm` shows its result."""

    TABLE = "table"
    JSON = "json"


class SchemaFormat(StrEnum):
    """How `spetrace schema` spells a table."""

    JSON = "json"
    ARROW = "arrow"
    SQL = "sql"


class Stage2From(StrEnum):
    """Where a VM's stage 2 is taken from."""

    PROBES = "probes"
    TRACEPOINTS = "tracepoints"


class Placement(StrEnum):
    """Where in the guest's RAM the buffer's pages lie."""

    CONTIGUOUS = "contiguous"
    SCATTERED = "scattered"


class InitialStage2(StrEnum):
    """Stage 2 at the log's start."""

    EMPTY = "empty"
    ALL = "all"


class DlModel(StrEnum):
    """When a faulting write loses a partial record."""

    STRADDLE = "straddle"
    ALWAYS = "always"
    NEVER = "never"


class DataLoss(StrEnum):
    """What becomes of a buffer's earlier records after an abort or DL = 1."""

    DISCARD = "discard"
    KEEP = "keep"


class ProfileFormat(StrEnum):
    """How `spetrace profile` shows its result."""

    TABLE = "table"
    JSON = "json"
    PARQUET = "parquet"


class RankBy(StrEnum):
    """What `spetrace profile` ranks samples by."""

    FUNCTION = "function"
    PC = "pc"
    PAGE = "page"
    PHYSICAL_PAGE = "physical-page"
