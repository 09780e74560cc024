"""The suite itself: what pytest does to the code under test."""

import importlib.util

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook


@pytest.mark.parametrize("name", ["anyio._backends._asyncio", "schemathesis.checks", "hypothesis.strategies"])
def test_pytest_rewrites_no_library(name):
    # A thread of a server may be the first to import it. Python 3.11 does not survive two parsers at once:
    # "SystemError: AST constructor recursion depth mismatch".
    assert not isinstance(importlib.util.find_spec(name).loader, AssertionRewritingHook)
