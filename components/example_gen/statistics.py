"""How StatisticsGen looks at image examples."""

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from models.columns import ingested
from models.config import Data


def stats_options(data: Data) -> tfdv.StatsOptions:
    """Options that count encoded images as bytes.

    As text, every different image would be kept in memory as a value whose frequency is asked for: memory would grow
    with the data set.
    """
    schema = schema_pb2.Schema()
    for name, stored in ingested(data.columns).items():
        if stored.content == "image":
            schema.feature.add(name=name, type=schema_pb2.BYTES).image_domain.SetInParent()
    return tfdv.StatsOptions(schema=schema)
