"""Tests of `storekeeper.database`."""
