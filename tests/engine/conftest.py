"""The fixtures of the fixer's tests."""

from ..embedded.fixer_case import case, fixed_region, public, sound

__all__ = ["case", "fixed_region", "public", "sound"]
