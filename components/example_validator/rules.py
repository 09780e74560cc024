"""What the pipeline's examples must be, beyond what their own statistics say of them."""

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

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
    several = len(groups_of(data.columns)) > 1
    if several:
        _bound(_require(merged, GROUP, Stored("int")), 0, len(groups_of(data.columns)) - 1)
    for column in data.columns:
        for name, stored in kind_of(column).ingested(column).items():
            feature = _require(merged, name, stored, everywhere=not several)
            if column.role == "label":
                feature.ClearField("int_domain")
            if stored.low is not None:
                _bound(feature, stored.low, stored.high)
    return merged


def groups_fit(statistics: statistics_pb2.DatasetFeatureStatistics, data: Data) -> list[str]:
    """What is wrong with the presence of columns, where rows of one group lack those of the others: none is allowed to.

    Args:
        statistics: of one split.
        data: whose columns they are.

    Returns:
        A line for each feature that stands in too many rows of its group, or too few.
    """
    groups = groups_of(data.columns)
    if len(groups) == 1:
        return []
    counts = {
        "/".join(each.path.step): int(getattr(each, each.WhichOneof("stats")).common_stats.num_non_missing)
        for each in statistics.features
        if each.WhichOneof("stats")
    }
    sizes = [[(name, counts.get(name, 0)) for name in ingested(columns)] for columns in groups]
    lines = []
    for listed in sizes:
        (first, rows), *others = listed
        lines += [
            f"{name}: a row with {first} has {name}; {rows:,} rows have the one and {count:,} the other"
            for name, count in others
            if count != rows
        ]
    total = sum(listed[0][1] for listed in sizes)
    if total != statistics.num_examples:
        firsts = " or ".join(listed[0][0] for listed in sizes)
        lines.append(f"all examples: a row has {firsts}; of {statistics.num_examples:,} rows {total:,} have one")
    return lines


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
