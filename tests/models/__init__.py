"""Tests of `storekeeper.models`."""
