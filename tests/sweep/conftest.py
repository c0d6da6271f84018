from cli.conftest import spetrace

__all__ = ["spetrace"]
