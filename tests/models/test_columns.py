import numpy as np
import pytest
import tensorflow as tf

from components.example_gen.images import Picture
from components.example_gen.ingest import to_example
from components.example_gen.sources.source import Point
from models import columns
from models.columns import Kind, Stored, kind_of
from models.config import Column, Images, Photographs, Points, Stacked, Unpaired, groups_of

IMAGES, POINTS = Images(resolution=16, channels=3, classes=4), Points(source="mixture:ring")
PIXELS = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
PICTURE = Picture(tf.io.encode_png(PIXELS).numpy(), 16, 16, 3, b"", 2)


class Doubled(Kind):
    """Numbers that are stored as they are, and seen twice as large: a kind of a user's own."""

    served = "number"

    def ingested(self, column):
        return {f"{column.role}/number": Stored("float")}

    def scaled(self, column, values):
        return 2 * values


class TestColumns:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (IMAGES, [("target", "image", (16, 16, 3), 0, 0), ("label", "label", (), 0, 4)]),
            (Images(resolution=28), [("target", "image", (28, 28, 1), 0, 0)]),
            (POINTS, [("target", "point", (2,), 0, 0)]),
            (
                Stacked(source="stacked:digits"),
                [("target", "image", (28, 28, 3), 0, 0), ("label", "label", (), 0, 1000)],
            ),
            (
                Photographs(source="digits", crop=16, margin=4),
                [
                    ("target", "photograph", (16, 16, 3), 0, 0),
                    ("surroundings", "surroundings", (24, 24, 3), 0, 0),
                ],
            ),
            (
                Unpaired(input=IMAGES, target=IMAGES),
                [
                    ("input", "image", (16, 16, 3), 0, 0),
                    ("label", "label", (), 0, 4),
                    ("target", "image", (16, 16, 3), 1, 0),
                ],
            ),
        ],
        ids=["images", "without classes", "points", "stacked", "margin", "unpaired"],
    )
    def test_follow_from_what_the_data_say(self, data, expected):
        assert [tuple(column)[:5] for column in data.columns] == expected

    def test_images_of_any_shape_and_mirrored_ones_are_told(self):
        target, label = IMAGES.model_copy(update={"fit": "pad", "flip": True}).columns
        assert (target.fit, target.flip) == ("pad", True)
        assert (label.fit, label.flip) == ("crop", False)

    def test_groups_are_in_the_order_of_the_domains(self):
        data = Unpaired(input=IMAGES, target=IMAGES)
        roles = [[column.role for column in group] for group in groups_of(data.columns[::-1])]
        assert roles == [["label", "input"], ["target"]]


class TestKindOf:
    def test_an_unknown_name_is_refused_with_the_near_miss(self):
        with pytest.raises(ValueError, match=r"^imagw is no column kind of the catalog; did you mean image\?"):
            kind_of(Column("target", "imagw"))

    @pytest.mark.parametrize("name", ["no_such_package:Kind", f"{__name__}:NoSuchKind"])
    def test_one_of_the_users_that_cannot_be_had_is_refused_by_its_name(self, name):
        with pytest.raises(ValueError, match=rf"the column kind {name} names cannot be imported: .*") as error:
            kind_of(Column("target", name))
        assert "\n" not in str(error.value)

    def test_one_of_the_users_is_named_by_its_path(self):
        column = Column("target", f"{__name__}:Doubled")
        assert columns.ingested([column]) == {"target/number": Stored("float")}
        assert kind_of(column).scaled(column, 3.0) == 6

    def test_what_it_does_not_say_is_an_error_that_names_it(self):
        column = Column("target", f"{__name__}:Doubled")
        with pytest.raises(NotImplementedError, match=r"^Doubled says what Transform leaves$"):
            kind_of(column).transformed(column)


@pytest.mark.parametrize("role", ["target", "input"])
@pytest.mark.parametrize(
    ("item", "data", "expected"),
    [(PICTURE, IMAGES, PIXELS), (Point((0.5, -2.0), b"", 3), POINTS, np.array([0.5, -2], np.float32))],
    ids=["image", "point"],
)
def test_from_a_source_to_an_array(item, data, expected, role):
    """If this fails, what ingestion writes is not what the column says, or a value changes on its way."""
    column, kind = data.columns_as(role, 0)[0], kind_of(data.columns[0])
    example = to_example(item, [column])
    stored = kind.ingested(column)
    assert example.features.feature.keys() == stored.keys() | {"label"}
    parsed = tf.io.parse_example([example.SerializeToString()], {name: each.spec() for name, each in stored.items()})
    transformed = kind.transform(column, parsed)
    assert transformed.shape == (1, kind.transformed(column).size)
    value = transformed[0, 0] if kind.transformed(column).size == 1 else transformed[0]
    found = kind.decode(column, value).numpy()
    assert found.dtype == kind.dtype
    np.testing.assert_array_equal(found, expected)


def test_a_label_passes_as_it_is():
    column = IMAGES.columns[1]
    assert kind_of(column).ingested(column) == {"label": Stored("int", low=0, high=3)}
    example = to_example(PICTURE, [column])
    assert example.features.feature["label"].int64_list.value == [2]
    assert example.features.feature.keys() == {"label"}
    found = kind_of(column).transform(column, {"label": tf.constant([2, 0], tf.int64)})
    assert found.numpy().tolist() == [[2], [0]]


def test_a_source_without_a_label_writes_none():
    example = to_example(PICTURE._replace(label=None), IMAGES.columns)
    assert example.features.feature.keys() == kind_of(IMAGES.columns[0]).ingested(IMAGES.columns[0]).keys()
