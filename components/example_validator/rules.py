"""What the pipeline's examples must be, beyond what their own statistics say of them."""

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from models.config import Data


def declared_schema(schema: schema_pb2.Schema, data: Data) -> schema_pb2.Schema:
    """A schema with what the data declares laid over it.

    An inferred schema takes whatever it saw for right: a label that is missing, or 10 of 10 classes. So every example
    must hold one image with its size, or one point; where `data.classes` is not 0, one integer label from 0 to
    `labels` - 1; and where there are two domains, which it is of. A curated schema's own bounds on sizes, channels and
    the number of examples stay.
    """
    merged = schema_pb2.Schema()
    merged.CopyFrom(schema)
    if data.points:
        _require(merged, "point", schema_pb2.FLOAT, size=2)
    else:
        _require(merged, "image/encoded", schema_pb2.BYTES)
        for name in ("image/height", "image/width"):
            _bound(_require(merged, name, schema_pb2.INT), 1, None)
        _bound(_require(merged, "image/channels", schema_pb2.INT), 1, 3)
    if len(data.domains) > 1:
        _bound(_require(merged, "domain", schema_pb2.INT), 0, 1)
    if data.classes:
        label = _require(merged, "label", schema_pb2.INT)
        label.ClearField("int_domain")
        _bound(label, 0, data.classes - 1)
    return merged


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


def _require(schema: schema_pb2.Schema, name: str, kind: "schema_pb2.FeatureType", size: int = 1) -> schema_pb2.Feature:
    """The feature of this name, made mandatory: so many values of this type in every example."""
    feature = next((one for one in schema.feature if one.name == name), None) or schema.feature.add(name=name)
    if feature.type != kind:
        feature.ClearField(feature.WhichOneof("domain_info") or "domain")
        feature.type = kind
    feature.presence.min_fraction = 1
    feature.presence.min_count = 1
    feature.shape.ClearField("dim")
    feature.shape.dim.add(size=size)
    feature.lifecycle_stage = schema_pb2.LifecycleStage.PRODUCTION
    return feature


def _bound(feature: schema_pb2.Feature, low: int, high: int | None) -> None:
    """Limits an integer unless the schema does so already."""
    if feature.HasField("int_domain"):
        return
    feature.int_domain.min = low
    if high is not None:
        feature.int_domain.max = high
