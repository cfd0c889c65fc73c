"""What ends a run: an error with a message for the person who started it."""


class Failure(Exception):
    """The run cannot go on. The message says why, in a line."""
