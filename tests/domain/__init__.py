"""Tests of `storekeeper.domain`."""
