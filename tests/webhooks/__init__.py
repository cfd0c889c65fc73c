"""Tests of `storekeeper.webhooks`."""
