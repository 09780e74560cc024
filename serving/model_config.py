"""Which models are served, from where and in which versions: TF Serving's ModelServerConfig, read and checked."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2
from tensorflow_serving.config.file_system_storage_path_source_pb2 import FileSystemStoragePathSourceConfig
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig as ModelConfig
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig as ModelServerConfig

from serving.wire.errors import Code, ServingError, invalid

PLATFORM = "tensorflow"
MAX_VERSION = 2**63 - 1

VersionPolicy: TypeAlias = FileSystemStoragePathSourceConfig.ServableVersionPolicy


def read(path: Path) -> ModelServerConfig:
    """Reads a ModelServerConfig text proto.

    Raises:
        ValueError: the file cannot be read, is no such message, or is refused by `check`.
    """
    try:
        config = text_format.Parse(path.read_text(), ModelServerConfig())
        check(config)
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ValueError(f"{path} is no model config file: {error}") from None
    except ServingError as error:
        raise ValueError(f"{path}: {error.message}") from None
    return config


def single(name: str, base_path: str, policy: VersionPolicy) -> ModelServerConfig:
    """The configuration of one model."""
    config = ModelServerConfig()
    config.model_config_list.config.add(
        name=name, base_path=base_path, model_platform=PLATFORM, model_version_policy=policy
    )
    return config


def check(config: ModelServerConfig) -> None:
    """Refuses what TF Serving refuses, in its words.

    Raises:
        ServingError: INVALID_ARGUMENT, a model is listed twice, has no name, a relative path, or another platform.
    """
    if config.WhichOneof("config") == "custom_model_config":
        raise invalid("custom_model_config is not supported; list the models in model_config_list")
    names = set()
    for model in config.model_config_list.config:
        if not model.name:
            raise invalid("each model in the config list needs a name")
        if model.name in names:
            raise invalid(f"Illegal to list model {model.name} multiple times in config list")
        names.add(model.name)
        if not (model.base_path.startswith("/") or "://" in model.base_path):
            raise invalid(
                f"Expected model {model.name} to have an absolute path or URI; got base_path()={model.base_path}"
            )
        old = model.model_type == model_server_config_pb2.TENSORFLOW
        if not model.model_platform and not old:
            raise invalid(
                "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
                f"ModelServerConfig::model_platform, model name is {model.name}"
            )
        if model.model_platform not in ("", PLATFORM):
            raise invalid(f"Model {model.name} requests unsupported platform {model.model_platform}")


def policy(text: str) -> VersionPolicy:
    """Reads a version policy as it is written at the command line.

    Args:
        text: `latest`, `latest:N`, `all` or `specific:N,N`.

    Raises:
        ValueError: it is none of these.
    """
    kind, _, numbers = text.partition(":")
    if kind == "latest" and re.fullmatch(r"[1-9]\d{0,8}", numbers or "1"):
        return VersionPolicy(latest=VersionPolicy.Latest(num_versions=int(numbers or 1)))
    if text == "all":
        return VersionPolicy(all=VersionPolicy.All())
    if kind == "specific" and re.fullmatch(r"\d{1,18}(,\d{1,18})*", numbers):
        return VersionPolicy(specific=VersionPolicy.Specific(versions=map(int, numbers.split(","))))
    raise ValueError(f"a version policy is latest, latest:N, all or specific:N,N; received {text}")


def versions_on_disk(base_path: str) -> dict[int, str]:
    """Version -> directory below a base path.

    Raises:
        ServingError: NOT_FOUND, the base path cannot be read.
    """
    try:
        children = [child.rstrip("/") for child in tf.io.gfile.listdir(base_path)]
    except (tf.errors.OpError, OSError) as error:
        raise ServingError(Code.NOT_FOUND, f"Could not find base path {base_path}: {error}") from None
    numbered = {int(child): child for child in sorted(children) if re.fullmatch(r"\d{1,19}", child)}
    return {number: tf.io.gfile.join(base_path, child) for number, child in numbered.items() if number <= MAX_VERSION}


def aspired(policy: VersionPolicy, found: Mapping[int, str]) -> dict[int, str]:
    """The versions that a policy wants served, of those found; the latest one by default."""
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return dict(found)
    if choice == "specific":
        return {number: path for number, path in found.items() if number in policy.specific.versions}
    return {number: found[number] for number in sorted(found)[-max(policy.latest.num_versions, 1) :]}
