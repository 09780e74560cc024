"""What Transform does to an example: the one `preprocessing_fn`, named by its dotted path."""

import functools
import json
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from models import columns
from models.config import Column, groups_of, parse_data


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Makes of each column one compact feature, named by its role: images of one size and depth, points as they are.

    Args:
        inputs: the features of all columns, as `columns.ingested` names them, and `group` where there are several
            groups; [batch] or [batch, size]. Dense or sparse; a row lacks the columns of other groups.
        custom_config: `data`, JSON of what the data say.

    Returns:
        Of each column `target`, `input`, `label`: an image as PNG [batch, 1], a point [batch, 2], a label [batch, 1];
        and `group` [batch, 1] int64 where there are several.
    """
    # a configuration is no graph
    data = tf.autograph.experimental.do_not_convert(parse_data)(json.loads(custom_config["data"]))
    groups = groups_of(data.all_columns)
    if len(groups) == 1:
        return {
            column.role: columns.kind_of(column).transform(column, {name: _dense(inputs[name]) for name in inputs})
            for column in columns.stored(data.columns)
        }
    group = tf.reshape(_dense(inputs[columns.GROUP]), [-1])
    outputs = {columns.GROUP: group[:, tf.newaxis]}
    for column in columns.stored(data.columns):
        outputs[column.role] = _of_its_rows(column, inputs, _rows_with(column, groups, group))
    return outputs


def _rows_with(column: Column, groups: Sequence[Sequence[Column]], group: tf.Tensor) -> tf.Tensor:
    """The rows that have a column of this role, [batch] bool."""
    having = [number for number, listed in enumerate(groups) if column.role in [each.role for each in listed]]
    return functools.reduce(tf.logical_or, [tf.equal(group, number) for number in having])


def _of_its_rows(column: Column, inputs: dict[str, Any], mine: tf.Tensor) -> tf.SparseTensor:
    """What Transform makes of a column in the rows that have it; the others stay without."""
    kind = columns.kind_of(column)
    features = {name: _rows(inputs[name], mine) for name in kind.ingested(column)}
    made = kind.transform(column, features)
    width = tf.shape(made, tf.int64)[1]
    rows = tf.where(mine)
    places = tf.stack(tf.meshgrid(rows[:, 0], tf.range(width), indexing="ij"), axis=-1)
    return tf.SparseTensor(
        tf.reshape(places, [-1, 2]), tf.reshape(made, [-1]), tf.stack([tf.shape(mine, tf.int64)[0], width])
    )


def _rows(values: Any, mine: tf.Tensor) -> tf.Tensor:
    """The rows of one group, dense: a sparse tensor holds nothing of the others."""
    if isinstance(values, tf.SparseTensor):
        values = tf.sparse.to_dense(values)
    return tf.boolean_mask(values, mine)


def _dense(values: Any) -> tf.Tensor:
    """Transform's inputs are sparse where the schema fixes no shape."""
    return tf.sparse.to_dense(values) if isinstance(values, tf.SparseTensor) else tf.convert_to_tensor(values)
