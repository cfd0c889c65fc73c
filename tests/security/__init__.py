"""Tests of `storekeeper.security`."""
