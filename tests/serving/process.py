"""`ganworks serve` as a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

GANWORKS = Path(sys.executable).with_name("ganworks")


class Process:
    """A running command whose lines are read as they come."""

    def __init__(self, *arguments: str, **environment: str):
        self.popen = subprocess.Popen(
            [GANWORKS, "serve", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    def line(self) -> str:
        return self.popen.stdout.readline().strip()

    def resident_mib(self) -> float:
        pages = Path(f"/proc/{self.popen.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.popen.send_signal(number)
        _, errors = self.popen.communicate(timeout=60)
        return self.popen.returncode, errors
