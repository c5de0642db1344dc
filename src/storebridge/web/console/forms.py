"""Small forms of the console's pages."""

from __future__ import annotations

from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qs

import msgspec
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


class Upload(msgspec.Struct, frozen=True):
    """A form with a file: its other fields, and the file's text, empty where none was chosen."""

    fields: dict[str, str]
    file: str


async def read_upload(request: Request, file: str, most_bytes: int) -> Upload:
    """The form of a page that sends a file in the field ``file``. Raises RefusedError for one that is none."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        raise RefusedError("The form could not be read; nothing was changed.")
    try:
        body = await read_bounded(request, most_bytes + MOST_FORM_BYTES)
        told = BytesParser(EmailMessage, policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        fields = {str(part.get_param("name", "", "content-disposition")): _text(part) for part in told.iter_parts()}
    except BodyTooLarge as error:
        raise RefusedError(f"The file is larger than {most_bytes // 1024 // 1024} MiB: split it.") from error
    except UnicodeDecodeError as error:
        raise RefusedError("The file is not in UTF-8: save it as CSV UTF-8. Nothing was changed.") from error
    return Upload({name: value for name, value in fields.items() if name != file}, fields.get(file, ""))


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    return content.decode("utf-8-sig") if isinstance(content, bytes) else ""
