"""One run, side by side: the course's stack, a bare ASGI function and Storekeeper."""
