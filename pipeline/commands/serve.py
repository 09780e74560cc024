"""`ganworks serve`: its options, as the server takes them."""

from pathlib import Path
from typing import Annotated

import typer

HERE = "a pushed model: ROOT/serving/NAME, one of its version folders, or the root of a run that pushed one"


def serve(
    directory: Annotated[Path | None, typer.Argument(metavar="DIR", help=HERE, show_default=False)] = None,
    grpc_port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one")] = 8500,
    rest_port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one")] = 8501,
    host: Annotated[str, typer.Option(help="the address to listen at; 0.0.0.0 for every one")] = "127.0.0.1",
    model_name: Annotated[str | None, typer.Option(help="served as  [default: the folder's name]")] = None,
    version_policy: Annotated[
        str | None, typer.Option(help="latest, latest:N, all or specific:N,N  [default: latest]")
    ] = None,
    model_config_file: Annotated[Path | None, typer.Option(help="TF Serving's list of models, instead of DIR")] = None,
    batching_parameters_file: Annotated[
        Path | None, typer.Option(help="TF Serving's; without it no requests are batched")
    ] = None,
    poll_seconds: Annotated[float, typer.Option(min=0, help="between looks for new versions; 0 looks once")] = 1,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM, of both ports")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM, of the certificate")] = None,
    tls_client_ca: Annotated[Path | None, typer.Option(help="PEM; clients need a certificate that it signed")] = None,
    max_message_mb: Annotated[
        float, typer.Option(min=0.001, help="of a request, and of a tensor that it asks for")
    ] = 64,
    max_batch_rows: Annotated[int, typer.Option(min=1, help="of a request")] = 1000,
    tensor_content: Annotated[bool, typer.Option("--tensor-content", help="gRPC answers in tensor_content")] = False,
    embedded: Annotated[bool, typer.Option("--embedded", help="even where tensorflow_model_server is found")] = False,
) -> None:
    """Serves a pushed model by TF Serving's gRPC and REST until Ctrl-C.

    It runs TF Serving's binary where `tensorflow_model_server` is on PATH, else the embedded server.

    New versions that appear beside the served one take its place without a refused request.
    """
    if directory and model_config_file:
        raise ValueError(f"either DIR or --model-config-file is served; received {directory} and {model_config_file}")
    if model_config_file and (model_name or version_policy):
        raise ValueError("--model-name and --version-policy are for DIR; the model config file has both for each model")
    if (tls_certificate is None) != (tls_key is None) or (tls_client_ca and not tls_certificate):
        raise ValueError("TLS takes both --tls-certificate and --tls-key")
    from serving import main, model_config
    from serving.gallery import routes
    from serving.options import ServerOptions, Tls, find
    from serving.wire.answers import Limits

    if model_config_file:
        models = model_config.read(model_config_file)
    elif directory:
        policy = model_config.policy(version_policy) if version_policy else None
        models = find(directory, name=model_name, policy=policy)
    else:
        raise ValueError("either DIR or --model-config-file is served; received neither")
    tls = None
    if tls_certificate and tls_key:
        tls = Tls(certificate=tls_certificate, key=tls_key, client_ca=tls_client_ca)
    limits = Limits(round(max_message_mb * 2**20), max_batch_rows, tensor_content)
    options = ServerOptions(
        models=models,
        host=host,
        grpc_port=grpc_port,
        rest_port=rest_port,
        batching_parameters_file=batching_parameters_file,
        poll_seconds=poll_seconds,
        tls=tls,
        limits=limits,
    )
    raise typer.Exit(main.serve(options, embedded=embedded, routers=[routes.router(models)], say=typer.echo))
