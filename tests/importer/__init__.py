"""Tests of `storekeeper.importer`."""
