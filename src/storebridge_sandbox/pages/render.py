"""Templates into pages. Everything that is not ours is escaped."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from storebridge_sandbox.pages.drawings import draw
from storebridge_sandbox.pages.looks import Look
from storebridge_sandbox.pages.window import left_in_words

HERE = Path(__file__).parent
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}


def money(amount: Decimal | str, currency: str) -> str:
    """``€12.50``; currencies without a sign here keep their code."""
    sign = SIGNS.get(currency)
    return f"{sign}{Decimal(amount):,.2f}" if sign else f"{Decimal(amount):,.2f} {currency}"


def moment(text: str) -> str:
    """``25 Nov 2026, 19:41`` (UTC), from a moment as the control calls write it."""
    return datetime.fromisoformat(text).strftime("%-d %b %Y, %H:%M") if text else ""


class Renderer:
    """Pages in one store's look."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._environment.filters.update(money=money, moment=moment, left=left_in_words)
        self._environment.globals.update(look=look, draw=draw)
        self.css = look.css + (HERE / "static" / "pages.css").read_text(encoding="utf-8")
        self.script = (HERE / "static" / "live.js").read_text(encoding="utf-8")

    def page(self, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
        return HTMLResponse(self._environment.get_template(template).render(**shown), status)
