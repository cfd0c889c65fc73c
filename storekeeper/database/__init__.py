"""The engine, its threads and its statements. Knows no table."""
