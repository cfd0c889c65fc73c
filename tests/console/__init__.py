"""Tests of `storekeeper.console`."""
