"""What a person, or a script with ``--json``, is told when a command cannot do what it was asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from cyclopts import CycloptsError
from cyclopts.exceptions import UnknownCommandError, UnusedCliTokensError

from storebridge.cli.examples import example_of
from storebridge.cli.output import give, tell

JARGON = (
    (r'unable to convert ("[^"]*") into int\b', r"\1 is no whole number"),
    (r'unable to convert ("[^"]*") into float\b', r"\1 is no number"),
    (r'unable to convert ("[^"]*") into Path\b', r"\1 is no path"),
    (r'^Command "(.+?)" parameter (\S+) requires an argument\.', r"\1 needs \2."),
)
"""What the parser says, and how a person would."""


def fail(words: Sequence[str], sentence: str, status: int) -> int:
    """One line on stderr and, where the words ask for it, one object on stdout; returns ``status``."""
    line = " ".join(sentence.split())
    tell(f"storebridge: {line}")
    if asks_for_json(words):
        give({"error": line, "exit_status": status}, (), as_json=True)
    return status


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether the result is for a script; what stands after ``--`` is a value."""
    return "--json" in before_values(words)


def before_values(words: Sequence[str]) -> list[str]:
    """The words up to ``--``."""
    at = list(words).index("--") if "--" in words else len(words)
    return list(words[:at])


def misuse(error: CycloptsError, words: Sequence[str]) -> str:
    """What is wrong with the words, and how they should look."""
    command = " ".join(error.command_chain or ())
    sentence = " ".join(str(error).split())
    for said, told in JARGON:
        sentence = re.sub(said, told, sentence)
    hidden = [word for word in words[len(before_values(words)) + 1 :] if word.startswith("--")]
    if hidden:
        sentence = f"Everything after -- is taken for a value: put {hidden[0]} and its value before the --."
    elif mistyped := _mistyped_command(error, words):
        sentence = mistyped
    elif isinstance(error, UnusedCliTokensError):
        sentence = f"{command} was given more than it takes: {' '.join(map(str, error.unused_tokens or ()))}."
    elif isinstance(error, UnknownCommandError) and _is_option(error):
        commands = sentence.partition("Available commands: ")[2].rstrip(".")
        sentence = f"{command} needs one of its commands first: {commands}."
    more = f"More: storebridge {command} --help." if command else "More: storebridge --help."
    return " ".join(part for part in (sentence, example_of(command), more) if part)


def _mistyped_command(error: CycloptsError, words: Sequence[str]) -> str:
    """What to say where a group that also does something by itself was given a command that it has not: the parser
    takes it for an argument, and blames an option that stands behind it. Empty where that is not so."""
    chain = list(error.command_chain or ())
    commands = [name for name in error.app or () if not name.startswith("-")]
    extra = error.unused_tokens if isinstance(error, UnusedCliTokensError) else before_values(words)[len(chain) :][:1]
    given = str(extra[0]) if extra else ""
    if isinstance(error, UnknownCommandError) or not commands or not given or given.startswith("-"):
        return ""
    near = get_close_matches(given, commands, 1)
    meant = f": did you mean {near[0]}?" if near else "."
    return f"{' '.join(chain)} has no command {given!r}{meant} Its commands: {', '.join(commands)}."


def _is_option(error: UnknownCommandError) -> bool:
    """Whether an option stands where a command should."""
    return bool(error.unused_tokens) and str((error.unused_tokens or [""])[0]).startswith("-")
