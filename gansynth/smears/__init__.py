"""Whole smear fields: finding cells, cutting them out, boxes that people drew."""
