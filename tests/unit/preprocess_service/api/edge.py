"""The service's HTTP protocol on a port of its own, for tests of what is below requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from preprocess_service.settings import Settings
from preprocess_service.wiring import make_protocol


async def reading_app(scope, receive, send):
    """Reads the body, and answers with as many bytes as the path says."""
    while (message := await receive()).get("more_body"):
        pass
    if message["type"] == "http.disconnect":
        return
    body = b"x" * int(scope["path"][1:] or 0)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Edge:
    """Where it listens, and its connections."""

    port: int
    state: ServerState = field(repr=False)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def exchange(self, *parts: bytes) -> bytes:
        """All that is answered until the connection ends."""
        reader, writer = await self.connect()
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            return await asyncio.wait_for(reader.read(), 10)
        except ConnectionError:
            return b""
        finally:
            writer.close()


@asynccontextmanager
async def serving_edge(app: ASGIApp = reading_app, **settings: object) -> AsyncIterator[Edge]:
    config = uvicorn.Config(app, ws="none", log_config=None, access_log=False)
    state = ServerState()
    make = make_protocol(Settings(**settings))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: make(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield Edge(server.sockets[0].getsockname()[1], state)
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
