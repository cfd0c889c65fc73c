"""Tests of `storekeeper.tabular`."""
