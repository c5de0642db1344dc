"""Who gives a command."""

from __future__ import annotations

import getpass


def actor() -> str:
    """Who stands in the audit for what a command does."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command line"
