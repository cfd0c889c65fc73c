"""Tests of `storekeeper.adoption`."""
