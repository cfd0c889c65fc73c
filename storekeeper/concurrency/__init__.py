"""Tools for threads, processes and waiting."""
