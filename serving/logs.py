"""The server's log: one JSON object a line. What requests hold is never in it."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

LOGGERS = ("serving", "uvicorn.error", "grpc")


class JsonFormatter(logging.Formatter):
    """A record as JSON: time, level, logger, message, and the `fields` that it was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(stream: TextIO = sys.stderr) -> None:
    """Sends what the server and its libraries log to a stream; TensorFlow's own advice is left out."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if name == "serving" else logging.WARNING)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
