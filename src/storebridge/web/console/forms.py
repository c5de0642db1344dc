"""Small forms of the console's pages."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

from storebridge.errors import RefusedError
from storebridge.web.intake.bodies import BodyTooLarge, read_bounded

MOST_FORM_BYTES = 64_000
MOST_FIELDS = 400
"""An order of many lines has a field for each."""


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises RefusedError for one that is none."""
    try:
        body = await read_bounded(request, MOST_FORM_BYTES)
        fields = parse_qs(body.decode("utf-8"), max_num_fields=MOST_FIELDS)
    except (BodyTooLarge, UnicodeDecodeError, ValueError) as error:
        raise RefusedError("The form could not be read; nothing was changed.") from error
    return {name: values[0].strip() for name, values in fields.items()}
