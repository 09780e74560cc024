import pytest

from models.config import Data, Images, Pairs, Points, Separated, Stacked, Unpaired, parse_data
from tests.models.config.small import OF_EACH_SCHEME, SMALL, refused


class TestData:
    @pytest.mark.parametrize(
        ("data", "kind", "shape"),
        [
            (Images(source="idx:data/mnist", channels=3), "images", (28, 28, 3)),
            (Stacked(source="stacked:idx:data/mnist"), "stacked", (28, 28, 3)),
            (Points(source="mixture:ring"), "points", (2,)),
        ],
    )
    def test_the_variant_says_what_an_example_is(self, data, kind, shape):
        assert (data.kind, data.points, data.shape, data.sources) == (kind, kind == "points", shape, (data.source,))
        assert data.domains == (data,)
        assert data.target == data
        assert data.source_path == "data.source"

    def test_stacked_digits_have_a_class_for_each_triple(self):
        data = Stacked(source="stacked:digits")
        assert (data.channels, data.classes) == (3, 1000)

    def test_a_second_domain(self):
        data = Unpaired(input=Images(classes=10), target=Images(source="idx:data/mnist", classes=3))
        assert data.sources == ("digits", "idx:data/mnist")
        assert (data.source, data.classes, data.target.source) == ("digits", 10, "idx:data/mnist")
        assert (data.kind, data.shape, data.source_path) == ("images", (28, 28, 1), "data.input.source")

    def test_reads_what_it_wrote(self):
        for each in OF_EACH_SCHEME.values():
            assert parse_data(each.data.essential()) == each.data

    def test_pairs_are_two_aligned_columns(self):
        data = Pairs(source="folder:x", resolution=64, input_channels=1, fit="pad", flip=True)
        taken, drawn = data.columns
        assert (taken.role, taken.shape, drawn.role, drawn.shape) == ("input", (64, 64, 1), "target", (64, 64, 3))
        assert taken[3:] == drawn[3:] == (0, 0, "pad", True, 0)
        assert (data.shape, data.classes, data.target_classes, data.kind) == ((64, 64, 3), 0, 0, "images")
        assert (data.domains, data.target, data.source_path) == ((data,), data, "data.source")
        assert data.read() == data.model_copy(update={"flip": False})

    def test_separated_pairs_are_two_domains_in_training_and_pairs_beside_it(self):
        data = Separated(source="folder:x", resolution=64, split_by="folder", folders=("photo", "map"), flip=True)
        whole = Pairs(source="folder:x", resolution=64, split_by="folder", folders=("photo", "map"), flip=True)
        assert [(each.role, each.group) for each in data.columns] == [("input", 0), ("target", 1)]
        assert data.held_out == whole
        assert [(each.role, each.group) for each in data.all_columns[2:]] == [("input", 2), ("target", 2)]
        assert data.all_columns[:2] == data.columns
        assert (data.domains, data.target, data.shape) == ((data,), data, (64, 64, 3))

    @pytest.mark.parametrize("name", ["adversarial", "cycle", "pix2pix"])
    def test_of_other_data_all_rows_are_alike(self, name):
        data = OF_EACH_SCHEME[name].data
        assert (data.held_out, data.all_columns) == (data, data.columns)

    def test_what_ingestion_does_not_read_is_at_its_default(self):
        data = Images(source="folder:x", resolution=64, channels=3, classes=4, schema_dir="there", eval_share=0.3)
        assert data.read() == Images(source="folder:x", classes=4, eval_share=0.3)
        both = Unpaired(input=Images(resolution=64), target=Images(resolution=64), schema_dir="there").read()
        assert both == Unpaired(input=Images(), target=Images())

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            (["data.source=mixture:ring"], "mixture:ring is for data.name=points"),
            (["data.source=stacked:digits"], "stacked:digits is for data.name=stacked"),
            (["data.name=points", "data.source=mixture:rign"], r"data\.source: rign is no mix.*; did you mean ring\?"),
            (["data.name=points", "data.source=mixture:x"], r"data\.source: x is no .*; choose from grid, ring"),
            (["data.name=points", "data.source=digits"], "the source of points is mixture:NAME; received digits"),
            (["data.name=stacked", "data.source=digits"], "the source of stacked is stacked:NAME; received digits"),
            (["data.name=stacked"], "^data.source is required$"),
            (["data.name=stacked", "data.source=stacked:digits", "data.classes=10"], "no field of the data stacked"),
            (
                ["data.name=points", "data.resolution=16"],
                "data points; images and pairs and separated and stacked have it",
            ),
            (["data.name=unpaired", "data.input=images"], "^data.target is required$"),
            (
                ["data.name=unpaired", "data.input=images", "data.target=points"],
                r"the examples of both domains have one shape: .*; received \[28, 28, 1\] and \[2\]",
            ),
            (
                ["data.name=unpaired", "data.input=images", "data.target.resolution=32"],
                r"images of one resolution .*; received \[28, 28, 1\] and \[32, 32, 1\]",
            ),
            (["data.name=unpaired", "data.input=images", "data.target=images"], "unpaired is for scheme.name=cycle"),
            (
                ["data.name=pairs", "data.source=digits"],
                "pairs are files, of folder:DIR, zip:FILE or tar:FILE; rec",
            ),
            (["data.name=pairs", "data.source=tar:x.tar"], "first to its last file, .*received tar:x.tar with layout="),
            (
                ["data.name=pairs", "data.source=folder:x", 'data.folders=["a", "a"]'],
                r"^data.folders: .*two names without a slash; received \['a', 'a'\]",
            ),
            (
                ["data.name=pairs", "data.source=folder:x", "data.layout=halves", 'data.folders=["a", "b"]'],
                r"folders are of layout=folders; received \['a', 'b'\] with layout=halves",
            ),
            (["data.name=pairs", "data.source=folder:x", "data.transfer=("], r"^data.transfer: .*; received '\(': "),
            (
                ["data.name=pairs", "data.source=folder:x", "data.resolution=28"],
                "is for scheme.name=pix2pix",
            ),
            (
                ["data.split_by=name:["],
                r"^data.split_by: a part of a name is given as a regular .*'\['",
            ),
            (["data.split_by=colour"], "^data.split_by: .*name:.*; received 'colour'"),
            (["evaluation.split=transfer"], "is of what data.transfer held out; data.name=images holds out none"),
        ],
    )
    def test_refuses_in_one_line(self, settings, message):
        refused(SMALL, settings, message)

    def test_data_alone_is_refused_in_one_line(self):
        with pytest.raises(ValueError, match=r"^data\.clases is no field of the data images; did you mean classes\?$"):
            parse_data({"clases": 3})


def test_data_are_abstract():
    with pytest.raises(NotImplementedError, match="Data says what its domains are"):
        _ = Data(name="any").domains
