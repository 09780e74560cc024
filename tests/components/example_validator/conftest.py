import json
from pathlib import Path

import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tfx.types import standard_artifacts
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components.example_gen.ingest import REPORT_FILES, Report
from components.example_validator.executor import Executor
from models.config import Images
from tests.components.example_validator.changed import examples, in_memory


@pytest.fixture
def validate(tmp_path):
    """Runs the executor on the statistics of the given examples: those of StatisticsGen, without its Beam pipeline."""

    def run(train, held_out=None, *, classes=10, curated=None, batch_size=0, thresholds=None, data=None):
        statistics = standard_artifacts.ExampleStatistics()
        statistics.uri = str(tmp_path / "statistics")
        statistics.split_names = '["train", "eval"]'
        protos = {}
        data = data or Images(classes=classes)
        for split, those in (("train", train), ("eval", examples() if held_out is None else held_out)):
            batch = ExamplesToRecordBatchDecoder().DecodeBatch([example.SerializeToString() for example in those])
            protos[split] = in_memory(batch, data)
            folder = tmp_path / "statistics" / f"Split-{split}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "FeatureStats.pb").write_bytes(protos[split].SerializeToString())
        schema = standard_artifacts.Schema()
        schema.uri = str(tmp_path / "schema")
        inferred = tfdv.infer_schema(protos["train"], infer_feature_shape=True)
        Path(schema.uri).mkdir(exist_ok=True)
        (tmp_path / "schema" / "schema.pbtxt").write_text(curated or text_format.MessageToString(inferred))
        anomalies = standard_artifacts.ExampleAnomalies()
        anomalies.uri = str(tmp_path / "anomalies")
        ingested = standard_artifacts.Examples()
        ingested.uri = str(tmp_path)
        counts = {"train": len(train), "eval": len(examples() if held_out is None else held_out)}
        report = Report(counts, 0, [], {str(label): {"train": 1, "eval": 1} for label in range(data.classes)})
        for name in REPORT_FILES[: len(data.sources)]:
            (tmp_path / name).write_text(report.to_json([]))
        inputs = {"examples": [ingested], "statistics": [statistics], "schema": [schema]}
        properties = {"data": json.dumps(data.essential()), "evaluation": "{}", "batch_size": batch_size}
        properties |= {"exclude_splits": "[]", "thresholds": thresholds, "task": "generate"}
        Executor().Do(inputs, {"anomalies": [anomalies]}, properties)
        return anomalies

    return run
