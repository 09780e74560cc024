"""Servers with the page, and pictures to give it."""

import io

import numpy as np
import pytest
from PIL import Image

from models.catalog import lookup
from models.export import saving
from models.export.card import card
from serving.gallery import routes as gallery
from serving.options import ServerOptions, find
from serving.server import EmbeddedServer
from tests.browser import CHROMIUM

NEEDS_CHROMIUM = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


def serve(folder, config, text=""):
    """A server with the page, of an untrained model that has a card."""
    saving.save(lookup("scheme", config.scheme.name)(config), folder / "small" / "1")
    (folder / "small" / "1" / "MODEL_CARD.md").write_text(text or card(str(folder / "small" / "1")))
    models = find(folder / "small")
    return EmbeddedServer(
        ServerOptions(models=models, grpc_port=0, rest_port=0, poll_seconds=0), routers=[gallery.router(models)]
    )


def photograph(width, height, **saved):
    """A picture, and its bytes as a JPEG without losses that count."""
    rows, columns = np.mgrid[:height, :width]
    image = Image.fromarray(np.stack([16 * rows, 16 * columns, 0 * rows + 90], -1).astype(np.uint8))
    content = io.BytesIO()
    image.save(content, saved.pop("format", "PNG"), **saved)
    return np.asarray(image), content.getvalue()
