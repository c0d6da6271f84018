"""spetrace in Python: sessions, runs and profiles as polars frames and plotly figures.

`spetrace` itself has the public names; the modules here hold them.
"""
