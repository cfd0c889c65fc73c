"""What tests share: data, callers, servers."""
