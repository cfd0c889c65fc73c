"""Texts that are shown to their owner once: in no log, no trace and no stored answer."""

from typing import Any


class Secret:
    """A text that shows itself only through its `value`."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret(...)"


def reveal(value: Any) -> str:
    """For the encoder of answers: the secret itself."""
    return _checked(value).value


def conceal(value: Any) -> None:
    """For the encoder of stored answers: null instead of the secret."""
    _checked(value)


def _checked(value: Any) -> Secret:
    """The encoders call this for every unknown type: any type but Secret is a bug."""
    if not isinstance(value, Secret):
        raise NotImplementedError(type(value))
    return value
