"""One server with TF Serving's toy models, for all tests of what it answers."""

from collections.abc import Iterator

import pytest

from serving import model_config
from tests.browser import browser
from tests.serving import saved


@pytest.fixture(scope="session")
def toys(tmp_path_factory) -> model_config.ModelServerConfig:
    """half_plus_two in version 1, half_plus_three in 123 and 124 with labels, and one of many types."""
    root = tmp_path_factory.mktemp("models")
    saved.half_plus(root / "half_plus_two/1", 2)
    saved.half_plus(root / "half_plus_three/00000123", 3)
    saved.half_plus(root / "half_plus_three/124", 3.5)
    saved.many(root / "many/1")
    names = ("half_plus_two", "half_plus_three", "many")
    config = saved.listing(**{name: root / name for name in names})
    three = config.model_config_list.config[1]
    three.model_version_policy.CopyFrom(model_config.policy("all"))
    three.version_labels.update({"stable": 123, "canary": 124})
    return config


@pytest.fixture(scope="session")
def client(toys) -> Iterator[saved.Client]:
    with saved.serving(toys, limits={"max_message_bytes": 1_000_000, "max_batch_rows": 100}) as client:
        yield client


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    """A tab of a browser."""
    with browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab
