"""uvicorn's HTTP/1.1 with a limit on how long a client may take over the head of a request."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientProtocol(H11Protocol):
    """Closes a connection on which no request begins within `timeout_keep_alive` seconds.

    uvicorn itself counts between requests, and stops counting with the first byte of the next. Here the time runs from
    the connection's beginning or its last response until a head is complete, so that a client that sends a byte a
    minute does not hold a connection for ever.
    """

    _waiting_since: float
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to count."""
        super().connection_made(transport)
        self._waiting_since = self.loop.time()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops counting."""
        if self._watch:
            self._watch.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begins to count again."""
        self._waiting_since = self.loop.time()
        super().on_response_complete()

    def _look(self) -> None:
        left: float = self.timeout_keep_alive
        if self.cycle is None or self.cycle.response_complete:
            left += self._waiting_since - self.loop.time()
        if left <= 0:
            self.transport.close()
        else:
            self._watch = self.loop.call_later(left, self._look)
