"""Where waves come from: here they are computed, where another source would read them."""

import hashlib

import numpy as np

from components.example_gen.sources.source import SPLITS, Example, Shard, Source


class WaveSource(Source):
    channels = 0

    def __init__(self, argument):
        self.argument = argument

    def check(self):
        if not self.argument.isdigit():
            raise ValueError(f"the source of waves is their number; received {self.argument}")

    def shards(self):
        yield Shard(SPLITS, 0)

    def read(self, shard, *, data):
        random = np.random.default_rng(0)
        for phase in random.uniform(0, 2 * np.pi, int(self.argument)):
            wave = 4 * np.sin(2 * np.pi * np.arange(data.length) / data.length + phase)
            yield Example(wave, hashlib.sha256(wave.tobytes()).digest())

    def fingerprint(self):
        return self.argument
