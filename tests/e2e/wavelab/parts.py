"""The variants, in a module that imports nothing heavy."""

from typing import Annotated, ClassVar

from models.config import Data, Discriminator, OneSource, Scheme, Translator
from models.config.networks.discriminators import DISCRIMINATOR
from models.config.networks.translators import TRANSLATOR
from models.config.variants import OWN

HERE = __name__.rpartition(".")[0]


class Waves(OneSource):
    """Sine waves of random phase."""

    implementation: ClassVar[str] = f"{HERE}.source:WaveSource"
    column_kind: ClassVar[str] = f"{HERE}.columns:Wave"

    name: str = f"{__name__}:Waves"
    source: str = "1600"
    length: int = 16
    classes: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.length, 1)


class Continuer(Translator):
    """Makes a whole wave of one whose second half is missing."""

    implementation: ClassVar[str] = f"{HERE}.networks:continuer"
    name: str = f"{__name__}:Continuer"
    width: int = 32


class WaveJudge(Discriminator):
    """Tells waves that were measured from those that were made."""

    implementation: ClassVar[str] = f"{HERE}.networks:wave_judge"
    name: str = f"{__name__}:WaveJudge"
    norm: str = "none"
    width: int = 32


class Continuation(Scheme):
    """One update of each player a step, with the absolute error beside the adversarial loss."""

    implementation: ClassVar[str] = f"{HERE}.gan:ContinuationGAN"
    task: ClassVar[str] = f"{HERE}.task:Continue"

    name: str = f"{__name__}:Continuation"
    generator: Annotated[Translator, TRANSLATOR] = Continuer()
    discriminator: Annotated[Discriminator, DISCRIMINATOR] = WaveJudge()
    fidelity_weight: float = 30

    def check(self, data: Data, training: object) -> None:
        super().check(data, training)
        if not isinstance(data, Waves):
            raise ValueError(f"the scheme continues waves, {OWN} of this module; received {data.name}")
