"""Errors that explain themselves to the person who has to act.

StorebridgeError
├── ConfigurationError     the configuration or the command line must change; exit status 2
├── RefusedError           the request is understood and not possible now; nothing was changed
│   └── OutOfRangeError    a number or a time that is never possible; exit status 2
├── NotFoundError          nothing of that name is known here
└── StoreUnavailableError  the database cannot be reached
    └── StoreInUseError    another process holds its lock
"""

from __future__ import annotations


class StorebridgeError(Exception):
    """What happened, to which entity, whose move it is and what to do, in one sentence or two."""


class ConfigurationError(StorebridgeError):
    """A setting, an option or a secret is missing or wrong; the message names it and what to write."""


class RefusedError(StorebridgeError):
    """The request would break a promise (a hold, a guarantee, a cap); nothing was changed."""


class OutOfRangeError(RefusedError):
    """A number or a period that is never possible; the message says which are. Nothing was changed."""


class NotFoundError(StorebridgeError):
    """No such SKU, case, event or connection in this workspace."""


class StoreUnavailableError(StorebridgeError):
    """The database does not answer, cannot be read, or is of another version."""


class StoreInUseError(StoreUnavailableError):
    """Another process holds the database's lock: what is to be done goes through that one."""
