"""How StatisticsGen looks at examples."""

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.public.proto import slicing_spec_pb2 as slicing

from models.columns import GROUP, ingested
from models.config import Data, groups_of


def stats_options(data: Data) -> tfdv.StatsOptions:
    """Options that count encoded images as bytes, and rows of several groups by group, too.

    As text, every different image would be kept in memory as a value whose frequency is asked for: memory would grow
    with the data set.
    """
    schema = schema_pb2.Schema()
    for name, stored in ingested(data.all_columns).items():
        if stored.content == "image":
            schema.feature.add(name=name, type=schema_pb2.BYTES).image_domain.SetInParent()
    several = len(groups_of(data.all_columns)) > 1
    by_group = slicing.SlicingConfig(slicing_specs=[slicing.SlicingSpec(feature_keys=[GROUP])]) if several else None
    return tfdv.StatsOptions(schema=schema, slicing_config=by_group)


def of_group(number: int) -> str:
    """What the statistics of a group are called, beside those of all examples."""
    return f"{GROUP}_{number}"
