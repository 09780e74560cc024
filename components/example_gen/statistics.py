"""How StatisticsGen looks at image examples."""

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2


def stats_options() -> tfdv.StatsOptions:
    """Options that count encoded images as bytes.

    As text, every different image would be kept in memory as a value whose frequency is asked for: memory would grow
    with the data set.
    """
    schema = schema_pb2.Schema()
    image = schema.feature.add(name="image/encoded", type=schema_pb2.BYTES)
    image.image_domain.SetInParent()
    return tfdv.StatsOptions(schema=schema)
