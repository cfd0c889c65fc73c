"""Stores, items and the people who may change them: a server with a JSON API and a command line."""

__version__ = "0.1.0"
