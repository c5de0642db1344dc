"""The console's style, script and mark: a browser asks for each once, and again when it has changed."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
FOR_GOOD = "public, max-age=31536000, immutable"


@cache
def asset(name: str) -> str:
    """The address of a file; another one for every content of it."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


class Assets(StaticFiles):
    """Serves them. What is asked for by the address above never changes; anything else is not kept."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        if answer.status_code == 200 and asset(path).encode() == b"/static/%b?%b" % (
            path.encode(),
            scope["query_string"],
        ):
            answer.headers["cache-control"] = FOR_GOOD
        return answer
