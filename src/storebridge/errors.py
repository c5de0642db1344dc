"""Errors that explain themselves to the person who has to act.

StorebridgeError
├── ConfigurationError     the configuration or the command line must change; exit status 2
├── RefusedError           the request is understood and not possible now; nothing was changed
├── NotFoundError          nothing of that name is known here
└── StoreUnavailableError  the database cannot be reached or is held by another process
"""

from __future__ import annotations


class StorebridgeError(Exception):
    """What happened, to which entity, whose move it is and what to do, in one sentence or two."""


class ConfigurationError(StorebridgeError):
    """A setting, an option or a secret is missing or wrong; the message names it and what to write."""


class RefusedError(StorebridgeError):
    """The request would break a promise (a hold, a guarantee, a cap); nothing was changed."""


class NotFoundError(StorebridgeError):
    """No such SKU, case, event or connection in this workspace."""


class StoreUnavailableError(StorebridgeError):
    """The database does not answer, or another process holds its lock."""
