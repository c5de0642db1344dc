"""The real way out: aiohttp. Certainty matters more than detail: what may have left is ``NoAnswer``."""

from __future__ import annotations

import aiohttp

from storebridge.connectors.http import NoAnswer, NotSent, Request, Response

MAX_ANSWER_BYTES = 32 * 1024 * 1024
CONNECT_SECONDS = 5.0
CONNECTIONS_PER_HOST = 20


class AiohttpTransport:
    """Sends requests over kept-alive connections; the session is opened by the first one."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Response:
        """Send once; follow no redirects. Raises NotSent or NoAnswer."""
        timeout = aiohttp.ClientTimeout(total=request.timeout_seconds, connect=CONNECT_SECONDS)
        try:
            async with self._open().request(
                request.method,
                request.url,
                data=request.body or None,
                headers=dict(request.headers),
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await _read(response)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Response(response.status, headers, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotSent(type(error).__name__) from error
        except (TimeoutError, aiohttp.ClientError, ConnectionError) as error:
            raise NoAnswer(type(error).__name__) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit_per_host=CONNECTIONS_PER_HOST)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, cut off where no honest answer is that long."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_chunked(65536):
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise aiohttp.ClientPayloadError("the answer is too large")
        chunks.append(chunk)
    return b"".join(chunks)
