import numpy as np
import pytest

from models.config import DCGANDiscriminator, DCGANGenerator, Images
from models.networks import dcgan


def test_the_28_pixel_pair_is_the_published_one():
    # 100 -> 7x7x256 -> 128 -> 64 -> 1 and 1 -> 64 -> 128 with kernels of 5x5: kernels and biases counted by hand
    data = Images(resolution=28)
    dense = 100 * 7 * 7 * 256 + 7 * 7 * 256
    convolutions = 25 * (256 * 128 + 128 * 64 + 64 * 1) + 128 + 64 + 1
    assert dcgan.generator(DCGANGenerator(norm="none"), data).count_params() == dense + convolutions
    convolutions = 25 * (1 * 64 + 64 * 128) + 64 + 128
    discriminator = dcgan.discriminator(DCGANDiscriminator(norm="none"), data)
    assert discriminator.count_params() == convolutions + 7 * 7 * 128 + 1


def test_smaller_last_maps_are_further_layers():
    # as above, and 7x7 halved to 4x4 by one convolution more
    variant = DCGANDiscriminator(norm="none", smallest_map=4)
    convolutions = 25 * (1 * 64 + 64 * 128 + 128 * 256) + 64 + 128 + 256
    assert dcgan.discriminator(variant, Images(resolution=28)).count_params() == convolutions + 4 * 4 * 256 + 1
    for side, channels in ((16, 128), (32, 256), (64, 512)):
        layers = dcgan.discriminator(variant, Images(resolution=side)).layers
        assert [each.output.shape[1:] for each in layers if "flatten" in each.name] == [(4 * 4 * channels,)]


def test_kernels_that_the_stride_divides_reach_every_place_equally():
    # Miyato et al. 2018, table 3: 4x4 where a map is doubled or halved, 3x3 where it is not
    data = Images(resolution=28)
    generator = dcgan.generator(DCGANGenerator(norm="none", kernel=4), data)
    convolutions = 9 * 256 * 128 + 16 * (128 * 64 + 64 * 1) + 128 + 64 + 1
    assert generator.count_params() == 100 * 7 * 7 * 256 + 7 * 7 * 256 + convolutions
    discriminator = dcgan.discriminator(DCGANDiscriminator(norm="none", kernel=4), data)
    assert discriminator.count_params() == 16 * (1 * 64 + 64 * 128) + 64 + 128 + 7 * 7 * 128 + 1
    # Odena et al. 2016: of a flat map, kernels of ones draw a flat picture away from its edges, and 5x5 draw a grid
    spread = {}
    for kernel in (4, 5):
        last = dcgan.generator(DCGANGenerator(width=1, norm="none", kernel=kernel), data).layers[-2]
        last.set_weights([np.ones_like(last.kernel), np.zeros_like(last.bias)])
        drawn = np.asarray(last(np.ones([1, 14, 14, 1], np.float32)))[0, 4:-4, 4:-4, 0]
        spread[kernel] = np.ptp(drawn)
    assert spread == {4: 0, 5: 5}  # of 9, 6, 6 and 4 taps


def test_even_weights_begin_as_a_nearest_enlargement():
    """If this fails, pictures begin with a grid, which hides all there is to see in pale ones (Aitken et al. 2017)."""
    variant = DCGANGenerator(width=4, norm="none", kernel=4, even_start=True)
    built = dcgan.generator(variant, Images(resolution=32))
    convolutions = [layer for layer in built.layers if "transpose" in layer.name]
    assert [layer.strides for layer in convolutions] == [(1, 1), (2, 2), (2, 2), (2, 2)]
    maps = np.random.default_rng(0).normal(size=[2, 16, 16, convolutions[-1].kernel.shape[3]]).astype(np.float32)
    drawn = np.asarray(convolutions[-1](maps))
    # a kernel of 4 begins one place before the block of its stride
    for axis in (1, 2):
        moved = np.moveaxis(drawn, axis, 0)
        np.testing.assert_array_equal(moved[1:-1:2], moved[2:-1:2])
        assert (moved[2:-1:2] != moved[3::2]).any()
    for layer in convolutions[1:]:
        taken = np.unique(layer.kernel.numpy())
        assert len(taken) == layer.kernel.numpy().size / 4
        assert taken.std() == pytest.approx(0.02, rel=0.3)


def test_an_odd_kernel_cannot_begin_evenly():
    with pytest.raises(ValueError, match=r"even_start is of kernels that a stride of 2 divides: .* received 5$"):
        DCGANGenerator(even_start=True).check(Images(resolution=32))


def test_initial_weights_are_those_of_the_paper():
    for build, variant in ((dcgan.generator, DCGANGenerator()), (dcgan.discriminator, DCGANDiscriminator())):
        kernels = [each.numpy() for each in build(variant, Images()).trainable_variables if each.name == "kernel"]
        for kernel in kernels[:-1]:
            # of the thousands of values of a kernel, the standard error of the deviation is below 2 %
            np.testing.assert_allclose([kernel.mean(), kernel.std()], [0, 0.02], atol=0.0015)


def test_batch_norm_is_in_every_hidden_layer_but_the_first_of_the_discriminator():
    def norms(build, variant):
        return sum("batch_normalization" in layer.name for layer in build(variant, Images(resolution=64)).layers)

    assert norms(dcgan.generator, DCGANGenerator(width=1)) == 5
    assert norms(dcgan.discriminator, DCGANDiscriminator(width=1)) == 3
