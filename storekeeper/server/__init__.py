"""The process and its sockets: everything that leans on Uvicorn's insides."""
