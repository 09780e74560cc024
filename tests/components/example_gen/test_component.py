import json

import pytest
from tfx.types.standard_artifacts import Examples

from components.example_gen.component import ImageExampleGen
from components.example_gen.executor import Executor
from models.config import Images, Unpaired
from tests.components.images import RUNNER, read_split


class TestComponent:
    def test_settings_that_it_does_not_use_are_no_part_of_the_cache_key(self):
        nodes = [ImageExampleGen(data=Images(resolution=size), fingerprint="f", source="s") for size in (16, 28)]
        assert nodes[0].exec_properties == nodes[1].exec_properties
        unpaired = Unpaired(input=Images(), target=Images(source="idx:x"))
        for data in (Images(eval_share=0.3), Images(choose_share=0), unpaired, Images(classes=3)):
            other = ImageExampleGen(data=data, fingerprint="f", source="s")
            assert other.exec_properties != nodes[0].exec_properties

    def test_nor_are_they_of_two_domains(self):
        both = [
            ImageExampleGen(data=Unpaired(input=one, target=one), fingerprint="f", source="s")
            for one in (Images(resolution=16), Images(resolution=28), Images(eval_share=0.3))
        ]
        assert both[0].exec_properties == both[1].exec_properties != both[2].exec_properties

    @pytest.mark.parametrize(
        ("share", "names"), [(0.1, ["train", "choose", "eval"]), (0, ["train", "eval"])], ids=["three", "two"]
    )
    def test_executor_fills_the_artifact(self, tmp_path, share, names):
        data = Images(source="digits", choose_share=share)
        node = ImageExampleGen(data=data, fingerprint="f", source="s")
        examples = Examples()
        examples.uri = str(tmp_path)
        context = Executor.Context(beam_pipeline_args=[f"--runner={RUNNER}"], tmp_dir=str(tmp_path / "tmp"))
        Executor(context).Do({}, {"examples": [examples]}, dict(node.exec_properties))
        assert json.loads(examples.split_names) == names
        assert examples.get_string_custom_property("payload_format") == "FORMAT_TF_EXAMPLE"
        assert examples.get_string_custom_property("file_format") == "tfrecords_gzip"
        assert sum(len(read_split(tmp_path, name)) for name in names) == 1797
