"""Tests of `storekeeper.openapi`."""
