"""What the recipe of each GAN may say: the networks of its players, and the weights of its losses.

It stands here, not beside the networks, so that recipes are read without torch. A GAN of another package gives its own
to `gansynth.gans.register`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from gansynth.plugins import load_plugins
from gansynth.recipes.reading import Channels, Count, NonNegative, Number, Positive, Section, Width


class Networks(Section):
    """Of a GAN's players. A kind of networks says by ``family: Literal["its-name"]`` how a recipe chooses it."""

    @classmethod
    def families(cls) -> tuple[str, ...]:
        """Return the names by which recipes choose this kind; empty where it is a GAN's only kind."""
        field = cls.model_fields.get("family")
        return () if field is None else get_args(field.annotation)

    def refuse_unfit(self, resolution: int) -> None:
        """Raise ValueError where they cannot make or take images of so many pixels."""


class PaperNetworks(Networks):
    """Tables 3, 4 and 5 of hazra2022."""

    family: Literal["hazra2022"]
    width: Width = 64

    def refuse_unfit(self, resolution: int) -> None:
        if resolution % 16:
            raise ValueError(f"resolution {resolution} is not a multiple of 16, which tables 3 to 5 of hazra2022 need")


class DCGANNetworks(Networks):
    """Those of Radford et al. 2016 (`gansynth.networks.dcgan`). The last number of the generator, at the resolution of
    the image itself, is not used: the image has three channels."""

    family: Literal["dcgan"]
    generator: Channels
    critic: Channels

    def refuse_unfit(self, resolution: int) -> None:
        _refuse_generator(self.generator, resolution)
        _refuse_halvings("critic", self.critic, resolution)


class CompactGenerator(Networks):
    """The generator of `gansynth.networks.compact`, its channels from the lowest resolution on.

    `mapping` layers take latent and class to a `style`; `noise`, `embedding_noise` and `frozen` (an edge length in
    pixels, for a training that begins with a smaller generator) are described in
    `gansynth.networks.compact.SkipGenerator`.
    """

    family: Literal["compact"]
    generator: Channels
    style: Width = 128
    mapping: Annotated[int, Field(ge=1, le=16)] = 2
    noise: bool = False
    embedding_noise: NonNegative = 0.0
    frozen: Annotated[int, Number, Field(ge=0, le=1024)] = 0

    def refuse_unfit(self, resolution: int) -> None:
        _refuse_generator(self.generator, resolution)
        if self.frozen >= resolution:
            raise ValueError(f"networks.frozen {self.frozen} leaves nothing to learn at {resolution} px; give less")


class TwoPlayerNetworks(CompactGenerator):
    """With a critic, its channels from the highest resolution on; it sees how much the images of a
    `deviation_group` differ."""

    critic: Channels
    deviation_group: Width = 4

    def refuse_unfit(self, resolution: int) -> None:
        super().refuse_unfit(resolution)
        _refuse_halvings("critic", self.critic, resolution)


class ThreePlayerNetworks(TwoPlayerNetworks):
    """With a classifier, too, and a critic that is given the label where `projection` says so. With `classifier_norm`
    group the classifier is that of `gansynth.networks.group_norm_classifier`, which learns faster."""

    projection: bool = False
    classifier: Channels
    classifier_norm: Literal["none", "group"] = "none"

    def refuse_unfit(self, resolution: int) -> None:
        super().refuse_unfit(resolution)
        _refuse_halvings("classifier", self.classifier, resolution)


ProjectedEdge = Annotated[int, Field(ge=32, le=512, multiple_of=32)]
"""The edge length in pixels to which a critic on pretrained features scales images (`gansynth.networks.projected`)."""


class TexturedNetworks(ThreePlayerNetworks):
    """With a second critic, on pretrained features."""

    projected_edge: ProjectedEdge = 128


class ProjectedNetworks(CompactGenerator):
    """With a classifier, and with a critic on pretrained features in place of a small one."""

    classifier: Channels
    classifier_norm: Literal["none", "group"] = "none"
    projected_edge: ProjectedEdge = 128
    deviation_group: Width = 4

    def refuse_unfit(self, resolution: int) -> None:
        super().refuse_unfit(resolution)
        _refuse_halvings("classifier", self.classifier, resolution)


class DiffusionNetworks(Networks):
    """The U-Net of `gansynth.networks.unet`, its channels from the highest resolution on, `blocks` at each, with
    self-attention at the resolutions of `attention`, in pixels.

    An image is made in `sampling_steps`, which take twice as many evaluations less one. With a `guidance` above 1 it is
    moved away from what the network would draw of no class (Ho & Salimans 2022), which doubles them.
    """

    family: Literal["unet"]
    channels: Channels
    blocks: Annotated[int, Field(ge=1, le=16)] = 2
    attention: tuple[Width, ...] = (16, 8)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    sampling_steps: Annotated[int, Field(ge=2, le=1000)] = 18
    guidance: NonNegative = 1.0

    def refuse_unfit(self, resolution: int) -> None:
        halvings = len(self.channels) - 1
        if resolution % 2**halvings:
            raise ValueError(
                f"resolution {resolution} does not fit networks.channels: {len(self.channels)} numbers of channels "
                f"halve it {halvings} times, so it should be a multiple of {2**halvings}"
            )


def _refuse_generator(channels: tuple[int, ...], resolution: int) -> None:
    makes = 4 * 2 ** (len(channels) - 1)
    if makes != resolution:
        raise ValueError(
            f"resolution {resolution} does not fit networks.generator: {len(channels)} numbers of channels make "
            f"{makes} px"
        )


def _refuse_halvings(player: str, channels: tuple[int, ...], resolution: int) -> None:
    takes = 4 * 2 ** len(channels)
    if takes != resolution:
        raise ValueError(
            f"resolution {resolution} does not fit networks.{player}: {len(channels)} numbers of channels take "
            f"{takes} px"
        )


class UndeclaredNetworks(Networks):
    """Those of a GAN that is not known here yet, as they are given."""

    model_config = ConfigDict(extra="allow")


class NoLosses(Section):
    """A game whose terms have no weights."""


class WassersteinLosses(Section):
    """What keeps a Wasserstein critic in bounds (`gansynth.gans.wasserstein.restraints`)."""

    gradient_penalty: NonNegative = 10.0
    penalty_every: Count = 1
    drift: NonNegative = 0.0


class ThreePlayerLosses(WassersteinLosses):
    """C-WGAN-GP: `classifier_real` and `classifier_generated` weigh what the classifier learns from real and from
    generated images (table 5 of hazra2022 gives it both; 0 keeps it from the generator's mistakes), `generator_critic`
    and `generator_class` how much the generator heeds the critic and the classifier, `mode_seeking` what its images owe
    to their latents."""

    classifier_real: NonNegative = 1.0
    classifier_generated: NonNegative = 0.0
    generator_critic: NonNegative = 1.0
    generator_class: NonNegative = 0.1
    mode_seeking: NonNegative = 0.0


class TexturedLosses(ThreePlayerLosses):
    """Projected C-WGAN-GP: `generator_texture` is how much the generator heeds the critic on pretrained features."""

    generator_texture: NonNegative = 1.0


class ProjectedLosses(Section):
    """Projected C-GAN, whose only critic looks at pretrained features."""

    classifier_real: NonNegative = 1.0
    generator_texture: NonNegative = 1.0
    generator_class: NonNegative = 0.1


class ACGANLosses(Section):
    """AC-GAN: the class term of the discriminator, on real and on generated images, and that of the generator."""

    critic_class: NonNegative = 1.0
    generator_class: NonNegative = 0.1


class InfoGANLosses(Section):
    """InfoGAN: `information` is lambda of Chen et al. 2016, eq. 6."""

    information: NonNegative = 0.1


class DiffusionLosses(Section):
    """EDM: the logarithm of the noise that images are shown under has the mean `noise_mean` and the deviation
    `noise_deviation` (Karras et al. 2022, table 1); a share `class_dropout` of them is shown without its class."""

    noise_mean: Annotated[float, Field(allow_inf_nan=False)] = -1.2
    noise_deviation: Positive = 1.2
    class_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1


class UndeclaredLosses(Section):
    """Those of a GAN that is not known here yet, as they are given."""

    model_config = ConfigDict(extra="allow")


@dataclass(frozen=True)
class Declared:
    """What a GAN has.

    Attributes
    ----------
    networks : tuple of type of Networks
        One of each family that it can be built of.
    losses : type of Section
        The weights of its terms.
    """

    networks: tuple[type[Networks], ...] = (PaperNetworks, TwoPlayerNetworks)
    losses: type[Section] = NoLosses

    def of_family(self, family: object) -> type[Networks] | None:
        """Return the networks of a family, or the only ones where they have no name; None where there are none."""
        return next((kind for kind in self.networks if not kind.families() or family in kind.families()), None)

    def networks_of(self, given: Any) -> Networks:
        """Read networks of the family that they name.

        Raises
        ------
        pydantic.ValidationError
            If the GAN has no such family, or the family no such option.
        """
        if not isinstance(given, Mapping):
            return self.networks[0].model_validate(given)
        family = given.get("family")
        if (kind := self.of_family(family)) is not None:
            return kind.model_validate(given)
        problem: str | PydanticCustomError = "missing"
        if family is not None:
            known = " or ".join(name for kind in self.networks for name in kind.families())
            problem = PydanticCustomError("family", "should be {known}", {"known": known})
        wrong = InitErrorDetails(type=problem, loc=("family",), input=given if family is None else family)
        raise ValidationError.from_exception_data("networks", [wrong])


UNDECLARED = Declared((UndeclaredNetworks,), UndeclaredLosses)
"""Of a GAN that nobody knows yet."""

DECLARED: dict[str, Declared] = {
    "ac-gan": Declared(losses=ACGANLosses),
    "bagan-gp": Declared(losses=WassersteinLosses),
    "c-wgan-gp": Declared((PaperNetworks, ThreePlayerNetworks), ThreePlayerLosses),
    "cgan": Declared(),
    "cwgan-gp": Declared(losses=WassersteinLosses),
    "dcgan": Declared((DCGANNetworks,)),
    "edm": Declared((DiffusionNetworks,), DiffusionLosses),
    "infogan": Declared(losses=InfoGANLosses),
    "projected-c-gan": Declared((ProjectedNetworks,), ProjectedLosses),
    "projected-c-wgan-gp": Declared((TexturedNetworks,), TexturedLosses),
    "projection-gan": Declared(),
}
"""What each GAN has; what a recipe says beside it is refused."""


def declared_by(gan: str) -> Declared:
    """Return what a GAN declares; `UNDECLARED` where nobody knows it."""
    if gan not in DECLARED:
        load_plugins("gansynth.gans")
    return DECLARED.get(gan, UNDECLARED)
