"""Tests of `storekeeper.cli`."""
