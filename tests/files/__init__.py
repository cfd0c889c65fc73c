"""Tests of `storekeeper.files`."""
