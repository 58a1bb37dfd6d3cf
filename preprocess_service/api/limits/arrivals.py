"""Requests that come together begin by turns of their addresses."""

import asyncio
from collections import deque

from starlette.types import ASGIApp, Receive, Scope, Send

from preprocess_service.api.requests import network_of

# The event loop takes in one connection a turn (libuv), and a stranger's may be behind all others.
_LOOP_TURNS = 16


class Arrivals:
    """Lets one request of each address begin in a round of some turns of the event loop.

    What a request does before it first waits for something holds up all others, for a millisecond
    or so: a thousand that come together, refused or not, would hold them up for a second.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun: set[str] = set()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take_turn(self, address: str) -> None:
        """Return in the first round in which no other of that address has begun."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # the round of a loop that was stopped never ends
            self._loop, self._begun, self._waiting = loop, set(), {}
        if address not in self._begun:
            self._begin(address)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(turn)
        await turn

    def _begin(self, address: str) -> None:
        if not self._begun:
            self._end_round_after(_LOOP_TURNS)
        self._begun.add(address)

    def _end_round_after(self, loop_turns: int) -> None:
        if loop_turns:
            asyncio.get_running_loop().call_soon(self._end_round_after, loop_turns - 1)
        else:
            self._next_round()

    def _next_round(self) -> None:
        self._begun.clear()
        for address, turns in list(self._waiting.items()):
            turn = turns.popleft()
            if not turns:
                del self._waiting[address]
            if not turn.done():
                turn.set_result(None)
            self._begin(address)


class ArrivalMiddleware:
    """Begins requests by turns."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arrivals = Arrivals()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            client = scope.get("client")
            await self._arrivals.take_turn(network_of(client[0] if client else None))
        await self._app(scope, receive, send)
