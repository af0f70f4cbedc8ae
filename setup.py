"""What pyproject.toml cannot say: a build leaves nothing in the checkout.

What setuptools left in `build/` would be in the next wheel too, though it was removed meanwhile.
"""

from tempfile import TemporaryDirectory

from setuptools import setup

with TemporaryDirectory() as folder:
    setup(options={"build": {"build_base": folder}, "egg_info": {"egg_base": folder}})
