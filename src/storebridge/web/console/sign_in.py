"""Sign-in with the console's token, for a console that listens elsewhere than on loopback."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from storebridge.web.console.forms import read_form
from storebridge.web.console.pages import Pages
from storebridge.web.guard import COOKIE, cookie_value, same_secret

STAYS_SECONDS = 12 * 3600


class SignIn:
    """One form: the token in, a cookie out that scripts cannot read and other sites cannot use."""

    def __init__(self, pages: Pages, token: str) -> None:
        self._pages = pages
        self._token = token

    def routes(self) -> list[Route]:
        return [Route("/sign-in", self.ask), Route("/sign-in", self.check, methods=["POST"])]

    async def ask(self, request: Request) -> Response:
        return self._pages.render(request, "sign_in.html", problem="")

    async def check(self, request: Request) -> Response:
        """Compare in constant time; say nothing about how near it was."""
        form = await read_form(request)
        if not same_secret(form.get("token", ""), self._token):
            return self._pages.render(request, "sign_in.html", 401, problem="This is not the console's token.")
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE,
            cookie_value(self._token),
            max_age=STAYS_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer
