"""What several commands take: `K=V` pairs, a connection, JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from runner.cli.completing import connection_ids
from runner.errors import UsageError

T = TypeVar("T")

connection_option = click.option(
    "--connection",
    metavar="ID",
    shell_complete=connection_ids,
    help="Which connection; may be left out if there is one.",
)
limit_option = click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, metavar="N", help="How many a page."
)
page_option = click.option(
    "--page", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Which page."
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")


def on_page(found: Sequence[T], limit: int, page: int) -> Sequence[T]:
    """The page, where one more than fits on it was asked for; says on stderr whether others follow."""
    if len(found) > limit:
        click.echo(f"there are more: --page {page + 1}", err=True)
    return found[:limit]


def pairs(given: Iterable[str], option: str) -> dict[str, str]:
    """`K=V` texts as a map.

    Raises:
        UsageError: one has no `=`.
    """
    found: dict[str, str] = {}
    for one in given:
        key, separator, value = one.partition("=")
        if not separator or not key:
            raise UsageError(f"{option} takes K=V, found {one!r}")
        found[key] = value
    return found


def header_of(text: str) -> tuple[str, str]:
    """`NAME: VALUE` as a header.

    Raises:
        UsageError: there is no `:` in it.
    """
    name, separator, value = text.partition(":")
    if not separator:
        raise UsageError(f"-H takes NAME: VALUE, found {text!r}")
    return name.strip(), value.strip()


def values(given: Iterable[str], option: str) -> dict[str, object]:
    """`K=V` texts as a map; a value that is JSON is taken as such, any other as text."""
    return {key: _value(value) for key, value in pairs(given, option).items()}


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def content(text: str) -> bytes:
    """The text itself, or what the file behind `@` holds (`@-` is standard input).

    Raises:
        UsageError: the file cannot be read.
    """
    if not text.startswith("@"):
        return text.encode()
    if text == "@-":
        return sys.stdin.buffer.read()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as exc:
        raise UsageError(f"{text[1:]} cannot be read: {exc.strerror}") from exc


def document(text: str, what: str) -> dict[str, object]:
    """A JSON object.

    Raises:
        UsageError: it is none.
    """
    try:
        found = json.loads(content(text))
    except ValueError as exc:
        raise UsageError(f"{what} is no JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise UsageError(f'{what} must be a JSON object, such as {{"name": "Ada"}}')
    return found


input_option = click.option(
    "--input", "given", multiple=True, metavar="JSON|@file|K=V", help="The input; several K=V add up."
)


def given_input(given: Iterable[str]) -> dict[str, object]:
    """What several `--input` say together.

    Raises:
        UsageError: one is neither JSON nor K=V.
    """
    found: dict[str, object] = {}
    for one in given:
        found |= document(one, "--input") if one.startswith(("{", "@")) else values([one], "--input")
    return found
