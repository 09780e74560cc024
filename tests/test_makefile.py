import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize(("code", "told"), [(0, False), (1, False), (3, True)])
def test_a_refusal_of_the_demo_is_told_from_a_fault(tmp_path, code, told):
    """With a `ganworks` that ends at once: the real one takes minutes, and is tested elsewhere."""
    shutil.copy(Path(__file__).parent.parent / "Makefile", tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    script = tmp_path / ".venv/bin/ganworks"
    script.write_text(f'#!/bin/sh\necho "$@"\nexit {code}\n')
    script.chmod(0o755)
    for made in ("requirements.lock", "setup.py", "pyproject.toml", ".venv/lock.stamp", ".venv/project.stamp"):
        (tmp_path / made).touch()
    # what a `make` that runs these tests tells its children, such as to print where they are
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment | {"LC_ALL": "C"}
    )
    assert done.stdout == "run digits-cgan\n"
    assert (f"Error {code}" in done.stderr) == bool(code)
    assert ("above stands what to try" in done.stderr) == told
    assert bool(done.returncode) == bool(code)
