"""Structured logs: one JSON object a line on stderr; secrets and personal data never get in.

Callers give an event's name and fields. What could hold a credential or a person's data is masked by its name.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

MASKED_NAMES = re.compile(r"token|secret|password|authorization|api_key|email|phone|address|first_name|last_name")
MASKED_TEXT = re.compile(r"shp(?:at|ss|rt|ca|pa)_[0-9A-Za-z]+|IST\.[\w.-]+|eyJ[\w-]+\.[\w-]+\.[\w-]+|Bearer\s+\S+")
MASK = "[masked]"
LONGEST_TEXT = 2000


class Logger:
    """Writes events of one part of the product."""

    def __init__(self, part: str) -> None:
        self._logger = logging.getLogger(f"storebridge.{part}")
        self._part = part

    def info(self, event: str, **fields: Any) -> None:
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._log(logging.ERROR, event, fields)

    def _log(self, level: int, event: str, fields: dict[str, Any]) -> None:
        if self._logger.isEnabledFor(level):
            masked = {name: mask(name, value) for name, value in fields.items()}
            self._logger.log(level, event, extra={"part": self._part, "fields": masked})


def get_logger(part: str) -> Logger:
    """The logger of one part, e.g. ``courier``."""
    return Logger(part)


def mask(name: str, value: Any) -> Any:
    """A field as it may be written down."""
    if MASKED_NAMES.search(name):
        return MASK
    if isinstance(value, str):
        return MASKED_TEXT.sub(MASK, value)[:LONGEST_TEXT]
    if isinstance(value, int | float | bool) or value is None:
        return value
    return MASKED_TEXT.sub(MASK, str(value))[:LONGEST_TEXT]


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, part, event, fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "part": getattr(record, "part", record.name),
            "event": mask("event", record.getMessage()),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = mask("trace", self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(level: str = "info", stream: TextIO | None = None) -> None:
    """Send storebridge's own logs to ``stream`` (stderr); called once, by a command."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger("storebridge")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
