from tfx.types import standard_artifacts
from tfx.types.channel import Channel

from components.example_validator.component import StrictExampleValidator
from pipeline.experiments.named import TINY


def test_settings_that_it_does_not_use_are_no_part_of_the_cache_key():
    channels = {
        name: Channel(type=kind)
        for name, kind in (
            ("examples", standard_artifacts.Examples),
            ("statistics", standard_artifacts.ExampleStatistics),
            ("schema", standard_artifacts.Schema),
        )
    }
    nodes = [
        StrictExampleValidator(**channels, experiment=TINY.override(settings), source="code")
        for settings in (
            [],
            ["data.pixel_limit=99"],
            ["training.steps=3"],
            ["evaluation.extractor_steps=9"],
            ["data.classes=11"],
            ["data.source=idx:x"],
            ["training.batch_size=16"],
            ["evaluation.samples=9"],
            ["evaluation.thresholds.coverage.at_least=0"],
        )
    ]
    assert all(nodes[0].exec_properties == node.exec_properties for node in nodes[1:4])
    assert all(nodes[0].exec_properties != node.exec_properties for node in nodes[4:])
