"""What the pipeline's examples must be, beyond what their own statistics say of them."""

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.example_gen.statistics import of_group
from models.columns import GROUP, Stored, ingested, kind_of
from models.config import Data, groups_of

TYPES = {"bytes": schema_pb2.BYTES, "int": schema_pb2.INT, "float": schema_pb2.FLOAT}


def declared_schema(schema: schema_pb2.Schema, data: Data) -> schema_pb2.Schema:
    """A schema with what the data declares laid over it.

    An inferred schema takes whatever it saw for right: a label that is missing, or 10 of 10 classes. So every example
    must hold what its columns are stored as: an image with its size, or a point; one label from 0 to `data.classes` -
    1. Where there are several groups, it says which it is of, and each column stands in the rows of its own:
    `groups_fit` counts them. A curated schema's own bounds on sizes, channels and the number of examples stay.
    """
    merged = schema_pb2.Schema()
    merged.CopyFrom(schema)
    several = len(groups_of(data.all_columns)) > 1
    if several:
        group = _require(merged, GROUP, Stored("int"))
        group.ClearField("int_domain")  # splits differ in their groups, and one is inferred from
        _bound(group, 0, len(groups_of(data.all_columns)) - 1)
    for column in data.all_columns:
        for name, stored in kind_of(column).ingested(column).items():
            feature = _require(merged, name, stored, everywhere=not several)
            if column.role == "label":
                feature.ClearField("int_domain")
            if stored.low is not None:
                _bound(feature, stored.low, stored.high)
    return merged


def groups_fit(statistics: statistics_pb2.DatasetFeatureStatisticsList, data: Data) -> list[str]:
    """What is wrong with the presence of columns, where rows of one group lack those of the others: none is allowed to.

    Args:
        statistics: of one split, of all examples and of each group, as `stats_options` asks for.
        data: whose columns they are.

    Returns:
        A line for each feature that rows of its group lack, or that rows of another group have.
    """
    groups = groups_of(data.all_columns)
    if len(groups) == 1:
        return []
    known = ingested(data.all_columns)
    lines = []
    for number, columns in enumerate(groups):
        own = ingested(columns)
        for dataset in statistics.datasets:
            if dataset.name != of_group(number):
                continue
            rows, counts = int(dataset.num_examples), _present(dataset)
            for name in known:
                count = counts.get(name, 0)
                if count != (rows if name in own else 0):
                    rule = "each row" if name in own else "no row"
                    lines.append(f"{name}: {rule} of group {number} has it; of {rows:,} such rows {count:,} have it")
    return lines


def _present(statistics: statistics_pb2.DatasetFeatureStatistics) -> dict[str, int]:
    """Rows that have each feature."""
    return {
        "/".join(each.path.step): int(getattr(each, each.WhichOneof("stats")).common_stats.num_non_missing)
        for each in statistics.features
        if each.WhichOneof("stats")
    }


def describe(anomalies: anomalies_pb2.Anomalies, split: str) -> list[str]:
    """Each anomaly of a split as one line: where it is, what is wrong, and the details."""
    lines = [_line(split, name, info) for name, info in sorted(anomalies.anomaly_info.items())]
    if anomalies.HasField("dataset_anomaly_info"):
        lines.insert(0, _line(split, "all examples", anomalies.dataset_anomaly_info))
    return lines


def _line(split: str, name: str, info: anomalies_pb2.AnomalyInfo) -> str:
    reasons = info.reason or [info]
    return f"split {split}, {name}: " + "; ".join(
        f"{reason.short_description.rstrip('.')}: {' '.join(reason.description.split())}" for reason in reasons
    )


def _require(schema: schema_pb2.Schema, name: str, stored: Stored, *, everywhere: bool = True) -> schema_pb2.Feature:
    """The feature of this name: so many values of this type in every example, or in every one that has it."""
    kind = TYPES[stored.type]
    feature = next((one for one in schema.feature if one.name == name), None) or schema.feature.add(name=name)
    if feature.type != kind:
        feature.ClearField(feature.WhichOneof("domain_info") or "domain")
        feature.type = kind
    feature.presence.min_count = 1
    for field in ("shape", "value_count"):
        feature.ClearField(field)
    if everywhere:
        feature.presence.min_fraction = 1
        feature.shape.dim.add(size=stored.size)
    else:
        feature.presence.min_fraction = 0
        feature.value_count.min = feature.value_count.max = stored.size
    feature.lifecycle_stage = schema_pb2.LifecycleStage.PRODUCTION
    return feature


def _bound(feature: schema_pb2.Feature, low: int, high: int | None) -> None:
    """Limits an integer unless the schema does so already."""
    if feature.HasField("int_domain"):
        return
    feature.int_domain.min = low
    if high is not None:
        feature.int_domain.max = high
