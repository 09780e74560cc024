"""The distribution `ganworks`; the exact versions that are tested are in requirements.lock."""

from pathlib import Path

from setuptools import find_packages, setup

TEST = [
    "pytest>=8",
    "pytest-xdist>=3.6",
    "hypothesis>=6.100",
    "schemathesis>=4,<5",
    "scikit-image>=0.24,<1",
    "requests>=2.31",
    "aiohttp>=3.10",
    "cryptography>=42",
    "websockets>=14",
]
PACKAGES = ("models", "components", "pipeline", "serving")

setup(
    name="ganworks",
    version="0.1.0",
    description="From images to a trained, judged, blessed and served GAN: one command, one TFX pipeline",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    # The kfp extra of TFX 1.21 has no release for Python 3.12.
    python_requires=">=3.11,<3.12",
    packages=find_packages(include=["models*", "components*", "pipeline*", "serving*", "benchmarks*"]),
    package_data={name: ["**/*.html", "**/*.css", "**/*.js"] for name in PACKAGES}
    # what `ganworks list` shows
    | {"benchmarks": ["results/recipes.json"]},
    entry_points={"console_scripts": ["ganworks = pipeline.cli:main"]},
    install_requires=[
        "tfx[kfp]>=1.21,<1.22",
        "tensorflow>=2.21,<2.22",
        "keras>=3.13,<4",
        "h5py>=3.11,<4",
        "tensorflow-datasets>=4.9.8,<5",
        "etils[epath]>=1.7,<2",
        "dill>=0.3",  # tfx-bsl imports it without saying so
        "importlib_resources>=6",  # tensorflow-datasets imports it without saying so
        "tensorboard>=2.20,<3",
        "scikit-learn>=1.5,<2",
        "threadpoolctl>=3,<4",
        "matplotlib>=3.9,<4",
        "pillow>=10,<13",
        "pydantic>=2.9,<3",
        "typer>=0.15,<1",
        "rich>=13.9,<16",
        "pyyaml>=6,<7",
        "resvg-py>=0.5,<0.6",  # draws the emoji that `ganworks fetch` brings
        "cel-python>=0.4,<1",
        # serving
        "tensorflow-serving-api>=2.19,<3",
        "grpcio>=1.67,<2",
        "fastapi>=0.115,<1",
        "uvicorn>=0.32,<1",
        "httpx>=0.27,<1",
        "prometheus_client>=0.21,<1",
    ],
    extras_require={
        "test": TEST,
        "dev": [*TEST, "ruff>=0.15", "mypy>=1.15", "pre-commit>=4"],
        # What `ganworks bench` needs beyond the above; the CPU build of torch is enough.
        "bench": ["torch>=2.13,<3", "torchvision>=0.28,<1", "torch-fidelity>=0.4,<0.5"],
    },
)
