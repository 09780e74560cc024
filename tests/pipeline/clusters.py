"""A Kubeflow Pipelines and a Vertex AI of this process: they record what they are sent, and say what a test wants."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse


class Fake:
    """Answers by method and path, and keeps the requests.

    Attributes:
        answers: (method, path) -> a document, a status with a document, or a list of these for one request each.
        requests: method, path, query, headers and document of each, in order.
    """

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Any] = {}
        self.requests: list[tuple[str, str, dict[str, Any], dict[str, str], Any]] = []
        self.url = ""

    def sent(self, method: str, path: str) -> Any:
        """The document of the one request of this kind."""
        (document,) = [each[-1] for each in self.requests if each[:2] == (method, path)]
        return document

    def answer(self, method: str, path: str) -> tuple[int, Any]:
        known = self.answers.get((method, path))
        if isinstance(known, list):
            known = known.pop(0) if len(known) > 1 else known[0]
        if known is None:
            return 404, {"error": {"code": 404, "message": f"no {method} {path} here"}}
        return known if isinstance(known, tuple) else (200, known)


@contextmanager
def answering() -> Iterator[Fake]:
    """A fake on a free port of the loopback."""
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"] or 0))
            self._answer(json.loads(content))

        def _answer(self, document: Any) -> None:
            url = urlparse(self.path)
            fake.requests.append((self.command, url.path, parse_qs(url.query), dict(self.headers), document))
            status, answer = fake.answer(self.command, url.path)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
