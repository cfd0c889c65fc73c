"""Input and output of the command line: errors, passwords, tables, and the way to the first administrator."""

import getpass
import os
import re
import sys
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from secrets import token_urlsafe
from typing import Any, TypeVar

import click
from sqlalchemy.exc import DBAPIError

from storekeeper.database.schema_version import SchemaError
from storekeeper.database.status import find_damage, first_line
from storekeeper.domain import expectations, names
from storekeeper.domain.expectations import Expected
from storekeeper.errors import StorekeeperError
from storekeeper.security.signing_keys import KeyFileError
from storekeeper.settings import SettingsError

EXPECTED_ERRORS = (StorekeeperError, SettingsError, KeyFileError, SchemaError, DBAPIError, OSError)
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  where a server that listens everywhere is found
MAX_INTEGER = 2**53 - 1  # as in the API
ID = click.IntRange(1, MAX_INTEGER)
F = TypeVar("F", bound=Callable[..., Any])
EXTRA_ARGUMENTS = re.compile(r"Got unexpected extra arguments? \((.*)\)", re.DOTALL)


class ErrorReportingGroup(click.Group):
    """A group that prints an error in one line, without a trace, and exits with 1; with 2 for wrong usage.

    The commands in `elsewhere` are imported when they are called, so that a server does not load their modules.
    """

    def __init__(self, *args: Any, elsewhere: Mapping[str, str], **kwargs: Any) -> None:
        """`elsewhere` maps the names of commands to their places, as `module:name`."""
        super().__init__(*args, **kwargs)
        self._elsewhere = elsewhere

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self._elsewhere])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._elsewhere:
            return super().get_command(ctx, cmd_name)
        module, _, name = self._elsewhere[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:  # Click would only suggest those that are loaded
            raise click.NoSuchCommand(error.command_name, possibilities=self.list_commands(ctx), ctx=ctx) from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _plain_usage():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _plain_usage():
                result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain as it ends
            return None
        except EXPECTED_ERRORS as error:
            raise click.ClickException(explain(error)) from None
        except UnicodeEncodeError as error:  # a part of the command line that was not UTF-8, on its way to the database
            given = ascii(error.object[error.start : error.end])
            raise click.ClickException(f"A text that was given holds what is not UTF-8: {given}.") from None
        return result


class NameParamType(click.ParamType[str]):
    """The name of a store or an item, by the rules of the API."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, _ctx: click.Context | None) -> str:
        return names.of_thing(value, (param and param.name) or "name")


def pair(flags: str, name: str, help: str) -> Callable[[F], F]:
    """A flag and its opposite: `--admin/--no-admin`. True, False, or None if neither is given; both are refused."""
    return click.option(flags, name, multiple=True, callback=_agree, help=help)


def _agree(ctx: click.Context, param: click.Parameter, flags: tuple[bool, ...]) -> bool | None:
    if len(set(flags)) > 1:  # Click itself would take the last
        raise click.UsageError(f"'{param.opts[0]}' and '{param.secondary_opts[0]}' exclude each other.", ctx)
    return flags[0] if flags else None


@contextmanager
def _plain_usage() -> Iterator[None]:
    """Report wrong usage in this program's own sentences instead of Click's."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:  # the help that is shown where no command is given
        raise
    except click.UsageError as error:
        raise click.UsageError(printable(explain_usage(error)), error.ctx) from None


def explain_usage(error: click.UsageError) -> str:
    match error:
        case click.MissingParameter():
            return f"{_hint(error)} is missing{_choices(error.param)}."
        case click.BadParameter():
            return _explain_value(error)
        case click.NoSuchOption():
            return f"There is no option '{error.option_name}' here.{_suggest(error.possibilities)}"
        case click.NoSuchCommand():
            return f"There is no command '{error.command_name}' here.{_suggest(error.possibilities)}"
        case _:
            return _explain_arguments(error)


def _explain_arguments(error: click.UsageError) -> str:
    if isinstance(error, click.BadOptionUsage):
        is_without = "requires" in error.message  # Click has one class for both
        return f"'{error.option_name}' {'needs a value' if is_without else 'takes no value'}."
    if extra := EXTRA_ARGUMENTS.fullmatch(error.message):
        return f"This command does not take so many arguments: '{extra[1]}' is too much."
    return error.message  # of a command of ours


def _explain_value(error: click.BadParameter) -> str:
    expected = _describe_type(error.param.type) if error.param else ""
    return f"{_hint(error)} has to be {expected}." if expected else f"{_hint(error)}: {error.message}"


def _describe_type(kind: click.ParamType[Any]) -> Expected:
    """What a value of one of Click's types must be. Empty for other types, which have their own messages."""
    match kind:
        case click.IntRange():
            return expectations.whole_number(kind.min, kind.max)
        case click.types.IntParamType():
            return expectations.whole_number(None, None)
        case click.Choice():
            return expectations.one_of(kind.choices)
        case _:
            return ""


def _choices(param: click.Parameter | None) -> str:
    return f": {_describe_type(param.type)}" if param and isinstance(param.type, click.Choice) else ""


def _hint(error: click.BadParameter) -> str:
    """The name of the parameter on the command line, in quotes."""
    if isinstance(error.param_hint, str):
        return f"'{error.param_hint}'"
    return error.param.get_error_hint(error.ctx) if error.param else "A value"


def _suggest(possibilities: Sequence[str] | None) -> str:
    known = " or ".join(f"'{each}'" for each in sorted(possibilities or ()))
    return f" Did you mean {known}?" if known else ""


def explain(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        cause = error.orig or error
        if (damage := find_damage(cause)) is not None:
            return f"The database is damaged: {damage} (what to do: docs/operating/damaged-database.md)"
        return f"The database cannot be used: {first_line(cause)}"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


class Progress:
    """A progress bar for each step of a long operation, on a terminal only."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._step = ""
        self._bar: Any = None
        self._percent = 0

    def show(self, step: str, _counts: object, percent: int) -> None:
        if step != self._step:
            self.close()
            if step in self._labels and sys.stderr.isatty():
                self._bar = click.progressbar(length=100, label=self._labels[step], file=sys.stderr)
            self._step, self._percent = step, 0
        if self._bar:
            self._bar.update(percent - self._percent)
            self._percent = percent

    def close(self) -> None:
        if self._bar:
            self._bar.render_finish()
        self._bar = None


def printable(text: str) -> str:
    """The text as one line without control characters, which could steer a terminal: parts of it come from files."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[str] = ()) -> Iterator[str]:
    """The lines of a table, with the columns `numbers` aligned to the right. Empty columns are left out."""
    columns = [column for column in zip(headings, *rows, strict=True) if any(column[1:])]
    padded = [_pad(column, is_number=column[0] in numbers) for column in columns]
    for cells in zip(*padded, strict=True):
        yield "  ".join(cells).rstrip()


def _pad(column: Sequence[str], *, is_number: bool) -> list[str]:
    width = max(map(_width, column))
    gaps = [" " * (width - _width(text)) for text in column]
    return [gap + text if is_number else text + gap for gap, text in zip(gaps, column, strict=True)]


def _width(text: str) -> int:
    """The width of a text on a terminal: a Chinese character takes two places, a combining accent none."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def read_password() -> str:
    """The first line of standard input as UTF-8, like the API, whatever the terminal's encoding is."""
    line = sys.stdin.buffer.readline()
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise click.ClickException("The password is not UTF-8.") from None


def ask_password() -> str:
    with warnings.catch_warnings(action="error", category=getpass.GetPassWarning):
        try:
            password, again = getpass.getpass(), getpass.getpass("Again: ")
        except getpass.GetPassWarning:
            raise click.ClickException("There is no terminal to ask for the password: use --password-stdin.") from None
    if again != password:
        raise click.ClickException("The two passwords differ.")
    return password


def url(host: str, port: int) -> str:
    """The URL at which this machine reaches a server that listens there."""
    host = EVERYWHERE.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def invitation(url: str, token: str) -> str:
    """A shell command that registers the first administrator. Its password is random, as some will keep it."""
    body = f'{{"username": "admin", "password": "{token_urlsafe(12)}", "setup_token": "{token}"}}'
    return (
        "There is no administrator yet. Register the first one with this one-time set-up token:\n"
        f"  curl {url}/register -H 'Content-Type: application/json' \\\n"
        f"    -d '{body}'\n"
        "The password there is a random one: note it, or put in your own.\n"
        f"Or do so in a browser, at {url}/console"
    )
