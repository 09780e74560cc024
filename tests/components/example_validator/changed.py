"""Examples that are not what they ought to be, and their statistics."""

from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory
from tensorflow_data_validation.utils import slicing_util

from components.example_gen.images import Picture
from components.example_gen.ingest import to_example
from components.example_gen.statistics import stats_options

KEEP = object()
"""A change that is none."""


def examples(count=30, labels=10, **changes):
    """Sound images, changed."""
    return changed([Picture(b"png", 28, 28, 1, b"", n % labels if labels else None) for n in range(count)], **changes)


def changed(items, *, groups=((),), **changes):
    """Examples with features changed: a list of values, a function of the example's number, None: absent, or KEEP.

    The rows are of these groups of columns in turn, and a feature is changed in those that have it.
    """
    made = []
    for number, item in enumerate(items):
        group = number % len(groups)
        example = to_example(item, groups[group], group if len(groups) > 1 else None)
        for name, change in changes.items():
            key = name.replace("_", "/")
            value = change(number) if callable(change) else change
            if value is KEEP:
                continue
            example.features.feature[key].Clear()
            if value is None:
                del example.features.feature[key]
            elif isinstance(value[0], bytes):
                example.features.feature[key].bytes_list.value.extend(value)
            elif isinstance(value[0], float):
                example.features.feature[key].float_list.value.extend(value)
            else:
                example.features.feature[key].int64_list.value.extend(value)
        made.append(example)
    return made


def in_memory(batch, data):
    """The statistics of StatisticsGen, of all rows and of the slices that are asked for, without its Beam pipeline."""
    options = stats_options(data)
    found = generate_statistics_in_memory(batch, options)
    if options.slicing_config:
        found.datasets[0].name = "All Examples"
        slicers, _ = slicing_util.convert_slicing_config_to_slice_functions_and_sqls(options.slicing_config)
        for name, rows in (each for slicer in slicers for each in slicer(batch)):
            of_slice = generate_statistics_in_memory(rows, options).datasets[0]
            of_slice.name = name
            found.datasets.append(of_slice)
    return found
