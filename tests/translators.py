"""Small networks that take an image, a user's own: of one size, of any size, and one that doubles it."""

from typing import Any, ClassVar, Literal

import keras

from models.config import (
    CrossEntropy,
    Cycle,
    Data,
    DCGANDiscriminator,
    DeconvolutionTranslator,
    Experiment,
    Images,
    Optimizer,
    Pairs,
    PatchGANDiscriminator,
    Photographs,
    Pix2Pix,
    Pretraining,
    Restoration,
    SRResNetTranslator,
    Translator,
    UNetTranslator,
    Unpaired,
)
from models.export.describing import example_name
from tests.harness import experiment

GREY = Images(resolution=16)
COLOUR = Images(resolution=16, channels=3)


class Negative(Translator):
    """Turns pixels round, by a factor that could be learned."""

    implementation: ClassVar[str] = f"{__name__}:negative"
    name: str = f"{__name__}:Negative"
    any_size: bool = False
    times: int = 1


def negative(variant: Negative, data: Data) -> keras.Model:
    """{x: [batch, h, w, c]} -> [batch, times * h, times * w, c], -x."""
    *sides, channels = data.shape
    x = keras.Input([*([None, None] if variant.any_size else sides), channels], name=example_name(judging=False))
    turned = keras.layers.DepthwiseConv2D(1, depthwise_initializer=keras.initializers.Constant(-1))(x)
    if variant.times > 1:
        turned = keras.layers.UpSampling2D(variant.times)(turned)
    return keras.Model({example_name(judging=False): x}, turned)


def restorer(data: Data = GREY, **fields: Any) -> Experiment:
    """An experiment of the task restore, on images."""
    scheme = Restoration(
        generator=Negative(**fields), discriminator=DCGANDiscriminator(width=4), degradations={"shrink": 0.5}
    )
    return experiment(data=data, scheme=scheme)


def enlarger(scale: Literal[2, 4], **fields: Any) -> Experiment:
    """An experiment of super-resolution on crops of photographs; `fields` of its scheme; or `training`, `crop`."""
    training, crop = fields.pop("training", {}), fields.pop("crop", 16)
    parts = {
        "generator": SRResNetTranslator(scale=scale, width=4, blocks=1, norm="none", bicubic=True),
        "discriminator": PatchGANDiscriminator(width=4, layers=1, norm="none"),
        "objective": CrossEntropy(),
        "degradations": {"downscale": scale},
        "pretraining": Pretraining(steps=3, batch_size=4, optimizer=Optimizer(name="sgd", learning_rate=0.1)),
    }
    data = Photographs(source="digits", crop=crop)
    return experiment(data=data, scheme=Restoration(**parts | fields), training=training)


def deblurrer(**fields: Any) -> Experiment:
    """An experiment of deconvolution on crops of 12 pixels; `fields` of its scheme; or `training`, `margin`."""
    training, margin = fields.pop("training", {}), fields.pop("margin", 2)
    parts = {
        "generator": DeconvolutionTranslator(side=5, support=9, width=4, blocks=1),
        "discriminator": PatchGANDiscriminator(width=4, layers=1, norm="none"),
        "objective": CrossEntropy(),
        "degradations": {"known_motion_blur": 5, "noise": 0.02},
    }
    data = Photographs(source="digits", crop=12, margin=margin)
    return experiment(data=data, scheme=Restoration(**parts | fields), training=training)


def told_deblurrer(**fields: Any) -> Experiment:
    """The same, but that each image has a kernel of its own, which is given beside it."""
    network = DeconvolutionTranslator(kernel="given", side=5, support=9, width=4, blocks=1)
    return deblurrer(**{"generator": network, "degradations": {"motion_blur": 5, "noise": 0.02}} | fields)


def translator(data: Images = GREY, **fields: Any) -> Experiment:
    """An experiment of the task translate, on images."""
    scheme = Cycle(generator=Negative(**fields), discriminator=DCGANDiscriminator(width=4))
    return experiment(data=Unpaired(input=data, target=data), scheme=scheme)


def paired(
    training: dict[str, Any] | None = None, norm: str = "none", dropout: float = 0.5, **fields: Any
) -> Experiment:
    """A small pix2pix that makes coloured pictures of grey ones; `fields` are those of its scheme."""
    scheme = {
        "generator": UNetTranslator(width=4, levels=3, norm=norm, dropout=dropout),
        "discriminator": PatchGANDiscriminator(width=4, layers=1, norm=norm, pairs=True),
    }
    data = Pairs(source="folder:pairs", resolution=16, input_channels=1)
    return experiment(data=data, scheme=Pix2Pix(**scheme | fields), training=training or {})
