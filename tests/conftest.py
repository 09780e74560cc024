"""Settings that have to stand before TensorFlow starts, and a guard over those that all tests share."""

import gc
import os
import random
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the command line sets it


def pytest_addoption(parser):
    parser.addoption("--write-golden", action="store_true", help="writes the golden files anew, to be read in the diff")


def pytest_runtest_setup():
    """Gives each test the same random numbers, whatever ran before it: Keras draws its seeds from Python's."""
    random.seed(0)


def pytest_collection_finish():
    """Leaves what was imported out of collections of garbage: TensorFlow and TFX are a million objects."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish():
    """Spares the last collection of garbage, which goes through all that TensorFlow and TFX have made.

    A worker that takes more than five seconds for it, on a loaded machine, gets a SIGINT from execnet in its midst.
    """
    gc.freeze()


@pytest.fixture(autouse=True)
def unchanged_precision():
    """Fails the test that leaves Keras in another precision: all after it would compute in that."""
    yield
    if "keras" in sys.modules:
        import keras

        left = keras.config.dtype_policy().name
        keras.config.set_dtype_policy("float32")
        assert left == "float32", f"the test leaves the process in {left}"
