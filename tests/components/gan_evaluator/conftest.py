import pytest


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """What tests of the judge share; see tests.judging.build_house."""
    from tests import judging

    root = tmp_path_factory.mktemp("house")
    judging.build_house(root)
    return root


@pytest.fixture(scope="session")
def honest(house):
    """The verdict on a generator that draws real images."""
    from tests import judging

    return judging.judge_in(house, "honest")


@pytest.fixture(scope="session")
def collapsed(house):
    """The verdict on a generator that draws one image a class."""
    from tests import judging

    return judging.judge_in(house, "collapsed")
