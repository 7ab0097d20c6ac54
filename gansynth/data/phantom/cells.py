"""What each phantom cell looks like: one readable row of morphology per class, no drawing.

The rows describe May-Gruenwald-Giemsa cells as haematology atlases do: how large, which nucleus, which
chromatin, which granules, which colours. Pairs are (low, high) of a uniform draw. Lengths are fractions
of the image edge where marked "frame", else fractions of the cell's own radius.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Nucleus:
    """A tube of varying thickness bent along an arc: a disc, a kidney, a band or a chain of lobes.

    Attributes
    ----------
    thickness : half width of the tube, cell radii.
    length : length of the arc, cell radii; 0 is a disc.
    bend : angle the arc turns through, radians.
    lobes : numbers of lobes to choose from; 1 is unsegmented.
    pinch : how far the tube narrows between lobes, 0 not at all, 1 to nothing.
    offset : distance of the nucleus from the centre of the cell, cell radii.
    waviness : irregularity of the outline, cell radii.
    dark, light : colours of dense and of open chromatin, RGB 0..255.
    clumping : contrast of the chromatin, 0 smooth, 1 coarse.
    grain : radius of a chromatin clump, frame.
    nucleoli : numbers of pale nucleoli to choose from.
    """

    thickness: Range
    length: Range = (0.0, 0.3)
    bend: Range = (0.0, 0.6)
    lobes: tuple[int, ...] = (1,)
    pinch: Range = (0.0, 0.0)
    offset: Range = (0.0, 0.1)
    waviness: Range = (0.02, 0.05)
    dark: Colour = (68, 26, 130)
    light: Colour = (122, 72, 150)
    clumping: Range = (0.5, 0.8)
    grain: float = 0.009
    nucleoli: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Granules:
    """Grains of one kind in the cytoplasm.

    Attributes
    ----------
    colour : RGB 0..255.
    cover : share of the area that grains would cover if none overlapped.
    radius : of one grain, frame.
    strength : opacity of a grain, 0..1.
    over_nucleus : whether they also lie over the nucleus.
    """

    colour: Colour
    cover: Range
    radius: Range
    strength: Range = (0.6, 0.9)
    over_nucleus: bool = False


@dataclass(frozen=True)
class Morphology:
    """One class of cell.

    Attributes
    ----------
    radius : frame.
    cytoplasm : two colours, RGB 0..255; each cell lies somewhere between them.
    nucleus : None for a cell without one.
    granules : kinds of granules, painted in order.
    elongation : long axis over short axis.
    irregularity : of the outline, cell radii.
    fringe : fine raggedness of the outline, cell radii.
    opacity : of the cytoplasm, 0..1.
    rim : how much darker the cell's edge is, 0..1.
    vacuoles : numbers of vacuoles to choose from.
    smear : a burst cell: soft edge, streaks, no membrane.
    """

    radius: Range
    cytoplasm: tuple[Colour, Colour]
    nucleus: Nucleus | None
    granules: tuple[Granules, ...] = ()
    elongation: Range = (1.0, 1.15)
    irregularity: Range = (0.01, 0.05)
    fringe: Range = (0.0, 0.01)
    opacity: Range = (0.9, 1.0)
    rim: Range = (0.02, 0.18)
    vacuoles: tuple[int, ...] = (0,)
    smear: bool = False


MORPHOLOGY: dict[str, Morphology] = {
    "basophil": Morphology(
        radius=(0.165, 0.215),
        cytoplasm=((200, 150, 184), (170, 112, 170)),
        nucleus=Nucleus(
            (0.4, 0.5),
            length=(0.7, 1.2),
            bend=(0.6, 2.4),
            lobes=(1, 2, 2, 3),
            pinch=(0.2, 0.5),
            dark=(82, 36, 134),
            light=(122, 66, 150),
        ),
        granules=(Granules((64, 18, 112), (1.0, 2.0), (0.008, 0.012), (0.8, 1.0), over_nucleus=True),),
        irregularity=(0.02, 0.06),
        fringe=(0.02, 0.04),
    ),
    "eosinophil": Morphology(
        radius=(0.18, 0.225),
        cytoplasm=((222, 172, 176), (200, 152, 176)),
        nucleus=Nucleus(
            (0.39, 0.46),
            length=(1.7, 2.1),
            bend=(1.0, 3.2),
            lobes=(2, 2, 2, 2, 2, 2, 2, 3),
            pinch=(0.6, 0.9),
            offset=(0.1, 0.3),
            waviness=(0.01, 0.03),
        ),
        granules=(Granules((186, 98, 116), (1.1, 1.9), (0.008, 0.011), (0.75, 1.0)),),
        irregularity=(0.01, 0.07),
        vacuoles=(0, 0, 0, 1, 2),
    ),
    "erythroblast": Morphology(
        radius=(0.115, 0.17),
        cytoplasm=((206, 176, 186), (144, 124, 170)),
        nucleus=Nucleus(
            (0.5, 0.66),
            length=(0.0, 0.1),
            offset=(0.05, 0.25),
            waviness=(0.01, 0.03),
            dark=(44, 14, 98),
            light=(118, 70, 142),
            clumping=(0.4, 0.8),
        ),
        elongation=(1.0, 1.2),
        irregularity=(0.02, 0.09),
        rim=(0.05, 0.25),
    ),
    "immature granulocyte": Morphology(
        radius=(0.18, 0.24),
        cytoplasm=((196, 162, 182), (160, 130, 174)),
        nucleus=Nucleus((0.46, 0.6), length=(0.35, 0.8), bend=(0.5, 2.2), offset=(0.12, 0.32), clumping=(0.5, 0.8)),
        granules=(Granules((120, 66, 146), (0.4, 0.9), (0.005, 0.0075), (0.5, 0.85)),),
        irregularity=(0.02, 0.07),
    ),
    "lymphocyte": Morphology(
        radius=(0.125, 0.175),
        cytoplasm=((176, 156, 190), (130, 106, 172)),
        nucleus=Nucleus(
            (0.76, 0.88),
            length=(0.0, 0.25),
            offset=(0.0, 0.14),
            dark=(58, 22, 120),
            light=(106, 60, 148),
            clumping=(0.3, 0.6),
            grain=0.013,
        ),
        irregularity=(0.02, 0.07),
        fringe=(0.01, 0.04),
    ),
    "monoblast": Morphology(
        radius=(0.225, 0.275),
        cytoplasm=((182, 164, 192), (150, 132, 180)),
        nucleus=Nucleus(
            (0.54, 0.66),
            length=(0.25, 0.6),
            bend=(0.4, 1.6),
            offset=(0.08, 0.22),
            waviness=(0.03, 0.07),
            dark=(104, 52, 148),
            light=(160, 108, 178),
            clumping=(0.3, 0.5),
            grain=0.007,
            nucleoli=(1, 1, 2),
        ),
        granules=(Granules((128, 74, 156), (0.1, 0.3), (0.005, 0.007), (0.3, 0.6)),),
        irregularity=(0.03, 0.09),
        vacuoles=(0, 0, 1, 2, 4),
    ),
    "monocyte": Morphology(
        radius=(0.195, 0.245),
        cytoplasm=((188, 166, 184), (160, 138, 176)),
        nucleus=Nucleus(
            (0.38, 0.5),
            length=(1.0, 1.7),
            bend=(2.2, 4.4),
            offset=(0.03, 0.18),
            waviness=(0.05, 0.09),
            dark=(84, 34, 136),
            light=(134, 82, 156),
            clumping=(0.4, 0.7),
        ),
        granules=(Granules((136, 92, 162), (0.2, 0.5), (0.005, 0.007), (0.3, 0.55)),),
        elongation=(1.0, 1.25),
        irregularity=(0.03, 0.1),
        fringe=(0.0, 0.025),
        vacuoles=(0, 0, 1, 3, 6),
    ),
    "myeloblast": Morphology(
        radius=(0.175, 0.225),
        cytoplasm=((158, 142, 194), (118, 98, 174)),
        nucleus=Nucleus(
            (0.74, 0.86),
            length=(0.0, 0.15),
            offset=(0.04, 0.16),
            waviness=(0.02, 0.05),
            dark=(98, 42, 146),
            light=(156, 100, 176),
            clumping=(0.25, 0.42),
            grain=0.0065,
            nucleoli=(1, 2, 2, 3, 4),
        ),
        irregularity=(0.02, 0.06),
    ),
    "neutrophil": Morphology(
        radius=(0.18, 0.225),
        cytoplasm=((226, 192, 188), (204, 164, 180)),
        nucleus=Nucleus(
            (0.29, 0.37),
            length=(2.0, 3.0),
            bend=(2.6, 5.4),
            lobes=(1, 1, 2, 3, 3, 3, 4, 4, 5),
            pinch=(0.55, 0.85),
            offset=(0.0, 0.15),
            waviness=(0.01, 0.025),
            clumping=(0.5, 0.8),
        ),
        granules=(Granules((176, 114, 160), (0.3, 0.9), (0.005, 0.007), (0.35, 0.75)),),
        elongation=(1.0, 1.3),
    ),
    "platelet": Morphology(
        radius=(0.055, 0.095),
        cytoplasm=((198, 172, 194), (176, 144, 188)),
        nucleus=None,
        granules=(Granules((104, 44, 146), (0.5, 1.3), (0.006, 0.010), (0.6, 1.0)),),
        elongation=(1.0, 1.4),
        irregularity=(0.04, 0.12),
        fringe=(0.03, 0.06),
        opacity=(0.75, 0.95),
    ),
    "promyelocyte": Morphology(
        radius=(0.22, 0.275),
        cytoplasm=((164, 134, 186), (132, 98, 170)),
        nucleus=Nucleus(
            (0.58, 0.68),
            length=(0.0, 0.3),
            offset=(0.2, 0.34),
            dark=(94, 42, 142),
            light=(146, 90, 164),
            clumping=(0.35, 0.6),
            grain=0.008,
            nucleoli=(0, 1, 2),
        ),
        granules=(
            Granules((92, 22, 116), (0.6, 1.2), (0.006, 0.009), (0.6, 0.95)),
            Granules((86, 18, 112), (0.2, 0.5), (0.006, 0.009), (0.5, 0.9), over_nucleus=True),
        ),
        irregularity=(0.02, 0.05),
    ),
    "smudge cell": Morphology(
        radius=(0.18, 0.27),
        cytoplasm=((172, 116, 172), (128, 72, 156)),
        nucleus=None,
        elongation=(1.0, 1.6),
        irregularity=(0.08, 0.22),
        opacity=(0.65, 0.95),
        rim=(0.0, 0.0),
        smear=True,
    ),
}
