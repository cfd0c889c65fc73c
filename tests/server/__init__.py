"""Tests of `storekeeper.server`."""
