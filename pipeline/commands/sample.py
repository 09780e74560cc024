"""`ganworks sample`: pictures from a running server, drawn or made of a file, by TF Serving's API alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline import session

if TYPE_CHECKING:
    import numpy as np

    from serving.client import Client

MOST = 10_000
"""Samples of one call."""

BATCH = 64


def sample(
    server: Annotated[str, typer.Option(metavar="HOST:PORT", help="gRPC port, or REST port with --api rest")],
    model: Annotated[str, typer.Option(help="its name there")],
    n: Annotated[int, typer.Option("--n", min=1, max=MOST, help="how many, of each label")] = 16,
    seed: Annotated[int, typer.Option(help="of the first; the next has the next")] = 0,
    label: Annotated[
        list[str] | None, typer.Option(help="a class by name or number, of a model that has them; repeatable")
    ] = None,
    truncation: Annotated[
        float | None, typer.Option(help="bound of the noise in standard deviations: more typical, less varied")
    ] = None,
    input_: Annotated[
        Path | None, typer.Option("--input", metavar="FILE", help="a picture, for a model that takes one")
    ] = None,
    kernel: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="what it was blurred by, for a model that is told: a picture, .npy or .csv"),
    ] = None,
    out: Annotated[Path, typer.Option(help="the picture to write; points are drawn as dots")] = Path("samples.png"),
    api: Annotated[str, typer.Option(help="grpc or rest")] = "grpc",
    version: Annotated[str | None, typer.Option(help="a version's number or label  [default: the newest]")] = None,
    certificate: Annotated[str | None, typer.Option(help="for TLS: of who signed the server's own")] = None,
    timeout_seconds: Annotated[float, typer.Option("--timeout", help="of each request, retries included")] = 30,
) -> None:
    """Asks a running server for samples and writes them as one picture; or for what it makes of a picture."""
    if api not in ("grpc", "rest"):
        raise ValueError(f"--api is grpc or rest; received {api}")
    if input_ and (label or truncation is not None):
        raise ValueError("--label and --truncation are of what is drawn by seed; leave them out beside --input")
    if kernel and not input_:
        raise ValueError("--kernel says what a picture was blurred by, which --input gives; leave it out, or give both")
    with session.quiet() as console:
        from pipeline.samples import picture
        from serving.client import Client, ServingError

        number = int(version) if version and version.isdigit() else version
        kind: Literal["grpc", "rest"] = "rest" if api == "rest" else "grpc"
        more: dict[str, Any] = {"timeout_seconds": timeout_seconds, "certificate": certificate}
        try:
            with Client(server, model, version=number, api=kind, **more) as client:
                if input_:
                    content = made_of(client, input_, kernel)
                else:
                    made = drawn(client, range(seed, seed + n), label or [], truncation)
        except ServingError as error:
            raise ValueError(f"{server} answers {str(error).splitlines()[0]}") from None
        out.parent.mkdir(parents=True, exist_ok=True)
        if input_:
            out.write_bytes(content)
        else:
            picture(made, columns=n if label and len(label) > 1 else 0).save(out)
        console.print(str(out), soft_wrap=True)


def made_of(client: "Client", file: Path, kernel: Path | None = None) -> bytes:
    """What a server's model makes of a picture, and of what this was blurred by where it is told: a PNG file.

    The picture is sent upright and opaque, with 8 bits a channel, as ingestion takes it: PNG and JPEG files as they are
    where they are so.

    Raises:
        ValueError: the model takes no picture, or the file is none or too large; or as `kernel_files.beside`.
        ServingError: the server refuses.
    """
    from components.example_gen.images import GIVEN_PIXELS, BadImage, read_picture
    from components.sample_generator import kernel_files

    interface = client.interface()
    name = interface.by_file()
    if name is None:
        raise ValueError(f"{client.model} takes no picture, but draws by seed: leave --input out")
    asked = interface.signatures[name]
    beside = kernel_files.beside(asked, kernel, client.model)
    try:
        sent = read_picture(file.read_bytes(), None, pixel_limit=GIVEN_PIXELS).encoded
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    except BadImage as error:
        raise ValueError(f"{file} {error}") from None
    given = asked.given("target") or asked.given("input")
    return bytes(client.predict({str(asked.taken("input")): [sent], **beside}, name)[str(given)][0])


def drawn(client: "Client", seeds: range, classes: list[str], truncation: float | None) -> dict[str, "np.ndarray"]:
    """What a server's model draws for these seeds, of each class in turn, by its name or number.

    Raises:
        ValueError: the model draws nothing by a seed, is of a newer ganworks, or classes are missing or unknown.
        ServingError: the server refuses.
    """
    import numpy as np

    interface = client.interface()
    name = interface.drawing(truncated=truncation is not None)
    if name is None:
        if interface.by_file():
            raise ValueError(f"{client.model} draws nothing by a seed: give it a picture by --input FILE")
        bound = " and a truncation" if truncation is not None else ""
        known = ", ".join(sorted(interface.signatures)) or "none"
        raise ValueError(f"samples are drawn by a signature that takes a seed{bound}; {client.model} has {known}")
    asked = interface.signatures[name]
    takes_labels = asked.taken("label") is not None
    if takes_labels != bool(classes):
        takes = "asks for a --label" if takes_labels else "has no labels"
        raise ValueError(f"{client.model} {takes}; received {', '.join(classes) or 'none'}")
    labels = [interface.label(each) for each in classes]
    rows = len(seeds) * max(len(labels), 1)
    values: dict[str, np.ndarray] = {
        "seed": np.tile(np.array(seeds, np.int64), max(len(labels), 1)),
        "label": np.repeat(np.array(labels, np.int64), len(seeds)),
        "truncation": np.full(rows, truncation or 0, np.float32),
    }
    inputs = {key: values[each.role] for key, each in asked.inputs.items()}
    parts = [
        client.predict({key: value[start : start + BATCH] for key, value in inputs.items()}, name)
        for start in range(0, rows, BATCH)
    ]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
