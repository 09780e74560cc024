"""The page of `ganworks serve`: what a model draws, asked by the public REST API alone."""

import json
import logging
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from models.export.reading import read_interface
from serving.model_config import ModelServerConfig

FOLDER = Path(__file__).parent
HEADERS = {
    # the page brings all it needs, and asks nobody but this server
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
CARD_BYTES = 256 << 10
"""The largest card that is shown, bytes."""

log = logging.getLogger(__name__)


def router(models: ModelServerConfig) -> APIRouter:
    """The routes of the page; what REST does not tell of a model is read from its newest version, at each visit.

    Args:
        models: what is served.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    def page() -> HTMLResponse:
        told = [about(each.name, Path(each.base_path)) for each in models.model_config_list.config]
        text = (FOLDER / "index.html").read_text(encoding="utf-8")
        # JSON within a script element: only `<` could end it
        return HTMLResponse(text.replace("MODELS", json.dumps(told).replace("<", "\\u003c"), 1), headers=HEADERS)

    @routes.get("/gallery/{name}")
    def file(name: str) -> Response:
        kinds = {"gallery.css": "text/css", "gallery.js": "text/javascript", "kernel.js": "text/javascript"}
        if name not in kinds:
            return PlainTextResponse(f"the page has {', '.join(kinds)}", 404)
        return FileResponse(FOLDER / name, media_type=kinds[name], headers=HEADERS)

    return routes


def about(name: str, base_path: Path) -> dict[str, Any]:
    """What the page has to know of a model beforehand: its card, and its interface, which older models do not answer.

    Args:
        name: that it is served by.
        base_path: the folder of its versions; the newest is told of.

    Returns:
        `name`; `card`, empty where there is none; `interface`, None where it cannot be read.
    """
    versions = [each for each in base_path.glob("*") if each.name.isdecimal()] if base_path.is_dir() else []
    newest = max(versions, key=lambda each: int(each.name), default=base_path)
    try:
        interface = read_interface(str(newest)).model_dump(mode="json")
    except ValueError as error:
        log.warning("the page cannot tell what %s takes and gives: %s", name, error)
        interface = None
    return {"name": name, "interface": interface, "card": _read(newest / "MODEL_CARD.md")}


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(CARD_BYTES).decode(errors="replace")
    except OSError:
        return ""
