"""The ceiling: the same answers from a bare ASGI function and the raw driver. Not a server to use."""
