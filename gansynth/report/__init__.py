"""Figures and self-contained HTML pages."""

from __future__ import annotations
