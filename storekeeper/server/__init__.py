"""The process and its sockets: everything that depends on Uvicorn's internals."""
