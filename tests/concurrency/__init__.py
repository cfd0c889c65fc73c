"""Tests of `storekeeper.concurrency`."""
