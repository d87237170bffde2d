"""Builds the C kernel of `bundle/`; everything else about the project stands in pyproject.toml.

The kernel is optional: without a compiler the install goes on, and `bundle/twin.py` gives the
same scores at a cost that `make bench-kernel` measures. One wheel serves every Python from 3.11 on (abi3).
"""

from setuptools import Extension, find_packages, setup

ROOMS = [
    "bundle",
    "contract",
    "dags",
    "demo",
    "methods",
    "pages",
    "perennial",
    "plugins",
    "rehearsal",
    "serving",
    "tasks",
]

setup(
    packages=find_packages(include=[*ROOMS, *(f"{room}.*" for room in ROOMS)]),
    package_data={"pages": ["templates/*"], "serving": ["*.yaml"]},
    ext_modules=[
        Extension(
            "bundle._flatforest",
            sources=["bundle/_flatforest.c"],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            # No fused multiply-add: it would change bits between machines.
            extra_compile_args=["-O3", "-ffp-contract=off", "-Wall", "-Wextra"],
            py_limited_api=True,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
