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
    grain: float = 0.010
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
    fringe: Range = (0.0, 0.02)
    opacity: Range = (0.9, 1.0)
    rim: Range = (0.1, 0.3)
    vacuoles: tuple[int, ...] = (0,)
    smear: bool = False


MORPHOLOGY: dict[str, Morphology] = {
    "basophil": Morphology(
        radius=(0.17, 0.215),
        cytoplasm=((206, 172, 190), (176, 128, 176)),
        nucleus=Nucleus(
            (0.36, 0.48),
            length=(0.7, 1.2),
            bend=(0.6, 2.4),
            lobes=(1, 2, 2, 3),
            pinch=(0.2, 0.5),
            dark=(80, 34, 134),
            light=(118, 66, 150),
        ),
        granules=(Granules((66, 18, 112), (0.9, 1.6), (0.009, 0.014), (0.8, 1.0), over_nucleus=True),),
        fringe=(0.02, 0.05),
    ),
    "eosinophil": Morphology(
        radius=(0.18, 0.225),
        cytoplasm=((206, 150, 168), (190, 140, 172)),
        nucleus=Nucleus(
            (0.34, 0.42),
            length=(1.25, 1.7),
            bend=(1.0, 2.8),
            lobes=(2, 2, 2, 2, 3),
            pinch=(0.6, 0.9),
            offset=(0.05, 0.25),
        ),
        granules=(Granules((186, 82, 104), (1.3, 2.2), (0.008, 0.012), (0.75, 1.0)),),
        irregularity=(0.01, 0.07),
        vacuoles=(0, 0, 0, 1, 2),
    ),
    "erythroblast": Morphology(
        radius=(0.115, 0.17),
        cytoplasm=((196, 168, 182), (140, 122, 172)),
        nucleus=Nucleus(
            (0.48, 0.66),
            length=(0.0, 0.1),
            offset=(0.05, 0.25),
            waviness=(0.01, 0.03),
            dark=(46, 16, 102),
            light=(112, 66, 142),
            clumping=(0.45, 0.8),
            grain=0.010,
        ),
        elongation=(1.0, 1.2),
        irregularity=(0.02, 0.08),
        rim=(0.15, 0.4),
    ),
    "immature granulocyte": Morphology(
        radius=(0.18, 0.24),
        cytoplasm=((190, 156, 182), (160, 132, 178)),
        nucleus=Nucleus((0.46, 0.6), length=(0.35, 0.8), bend=(0.5, 2.2), offset=(0.12, 0.32), clumping=(0.5, 0.8)),
        granules=(Granules((134, 80, 154), (0.35, 0.8), (0.006, 0.008), (0.4, 0.75)),),
        irregularity=(0.02, 0.07),
    ),
    "lymphocyte": Morphology(
        radius=(0.125, 0.175),
        cytoplasm=((172, 156, 198), (128, 108, 178)),
        nucleus=Nucleus(
            (0.74, 0.86),
            length=(0.0, 0.2),
            offset=(0.03, 0.16),
            dark=(58, 22, 122),
            light=(104, 60, 150),
            clumping=(0.3, 0.6),
            grain=0.013,
        ),
        irregularity=(0.02, 0.06),
        fringe=(0.01, 0.05),
    ),
    "monoblast": Morphology(
        radius=(0.225, 0.275),
        cytoplasm=((172, 166, 206), (140, 134, 192)),
        nucleus=Nucleus(
            (0.52, 0.64),
            length=(0.25, 0.6),
            bend=(0.4, 1.6),
            offset=(0.08, 0.22),
            waviness=(0.03, 0.07),
            dark=(106, 56, 152),
            light=(158, 106, 182),
            clumping=(0.25, 0.45),
            grain=0.007,
            nucleoli=(1, 1, 2),
        ),
        granules=(Granules((138, 84, 166), (0.05, 0.2), (0.005, 0.007), (0.3, 0.6)),),
        irregularity=(0.04, 0.1),
        vacuoles=(0, 0, 1, 2, 4),
    ),
    "monocyte": Morphology(
        radius=(0.195, 0.245),
        cytoplasm=((182, 168, 194), (152, 136, 184)),
        nucleus=Nucleus(
            (0.4, 0.52),
            length=(0.9, 1.5),
            bend=(1.8, 3.8),
            offset=(0.03, 0.18),
            waviness=(0.05, 0.1),
            dark=(84, 36, 138),
            light=(130, 80, 156),
            clumping=(0.4, 0.7),
        ),
        granules=(Granules((150, 106, 172), (0.1, 0.4), (0.005, 0.007), (0.25, 0.5)),),
        elongation=(1.0, 1.25),
        irregularity=(0.03, 0.1),
        fringe=(0.0, 0.04),
        vacuoles=(0, 0, 1, 3, 6),
    ),
    "myeloblast": Morphology(
        radius=(0.175, 0.225),
        cytoplasm=((150, 140, 204), (110, 96, 180)),
        nucleus=Nucleus(
            (0.74, 0.84),
            length=(0.0, 0.15),
            offset=(0.05, 0.16),
            waviness=(0.02, 0.05),
            dark=(100, 46, 148),
            light=(152, 98, 178),
            clumping=(0.2, 0.4),
            grain=0.006,
            nucleoli=(2, 2, 3, 4),
        ),
        irregularity=(0.02, 0.06),
    ),
    "neutrophil": Morphology(
        radius=(0.18, 0.225),
        cytoplasm=((222, 190, 188), (200, 162, 182)),
        nucleus=Nucleus(
            (0.25, 0.33),
            length=(1.6, 2.5),
            bend=(2.2, 5.0),
            lobes=(1, 1, 2, 3, 3, 4, 4, 5),
            pinch=(0.5, 0.85),
            offset=(0.0, 0.15),
            clumping=(0.5, 0.8),
        ),
        granules=(Granules((180, 122, 166), (0.3, 0.9), (0.005, 0.007), (0.3, 0.7)),),
        elongation=(1.0, 1.3),
    ),
    "platelet": Morphology(
        radius=(0.05, 0.095),
        cytoplasm=((196, 172, 198), (176, 146, 194)),
        nucleus=None,
        granules=(Granules((104, 46, 148), (0.5, 1.3), (0.007, 0.011), (0.6, 1.0)),),
        elongation=(1.0, 1.4),
        irregularity=(0.04, 0.14),
        fringe=(0.03, 0.08),
        opacity=(0.7, 0.95),
    ),
    "promyelocyte": Morphology(
        radius=(0.225, 0.275),
        cytoplasm=((156, 128, 188), (130, 98, 172)),
        nucleus=Nucleus(
            (0.58, 0.68),
            length=(0.0, 0.3),
            offset=(0.2, 0.32),
            dark=(90, 40, 142),
            light=(140, 86, 164),
            clumping=(0.3, 0.55),
            grain=0.008,
            nucleoli=(0, 1, 2),
        ),
        granules=(Granules((94, 22, 112), (0.6, 1.3), (0.007, 0.011), (0.55, 0.95), over_nucleus=True),),
        irregularity=(0.02, 0.05),
    ),
    "smudge cell": Morphology(
        radius=(0.2, 0.3),
        cytoplasm=((170, 116, 178), (134, 78, 162)),
        nucleus=None,
        elongation=(1.0, 1.7),
        irregularity=(0.1, 0.25),
        opacity=(0.6, 0.9),
        rim=(0.0, 0.0),
        smear=True,
    ),
}
