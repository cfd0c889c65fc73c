"""What somebody may take instead of Storekeeper, measured at the same work."""
