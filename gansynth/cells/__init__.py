"""Single cells: stain, segmentation, nuclei."""
