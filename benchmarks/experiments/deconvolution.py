"""Deblurring without a network: Wiener, Richardson-Lucy and total variation, tuned, on the photographs held out.

Wiener's filter is there twice: on a torus, and as the finite filter that the network `deconvolution` starts from. Two
rows of each method have a kernel that is a little wrong: turned, or too large.

Run by `ganworks bench deconvolution`. Each picture is a square of a photograph, blurred where its kernel lies within
it, so that nothing wraps round and no edge is hard. What a method can be set to is chosen on the photographs to choose
by, for each blur and noise; the five test photographs are then restored once. All get the true kernel, but for the rows
that say otherwise. PSNR and SSIM leave out as many pixels at each border as a kernel reaches, as those of a trained
restorer do (`models.tasks.Restore.options`).
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image
from scipy import ndimage, signal
from skimage import restoration

from benchmarks import reporting
from models import kernels, pixels
from models.degradations import degrade, kernels_of
from models.metrics.restoration import psnr, ssim
from models.randomness import Key, key

SIDE = 17
NOISES = (0.01, 0.02)
"""Shares of the range from black to white."""

BLURS = ("known_gaussian_blur", "known_motion_blur", "gaussian_blur", "motion_blur")
CHOSEN_BY = 24
"""Pictures to choose settings by, at equal distances in the order of their names."""

SEED = 0
TURN, LARGER = 30, 1.25
"""Degrees by which a mismatched kernel is turned, and how many times as large another one is."""


class Scene(NamedTuple):
    """Pictures that were blurred, and all that a method may know.

    Attributes:
        truth: [n, h, w, c] uint8.
        blurred: [n, h, w, c] float64 in [0, 1], with noise.
        kernels: [n, side, side] float64, one a picture.
    """

    truth: np.ndarray
    blurred: np.ndarray
    kernels: np.ndarray


Restorer = Callable[..., np.ndarray]
"""`(channel [h, w], kernel [side, side], *setting)` -> [h, w]; values in [0, 1]."""


def wiener(channel: np.ndarray, kernel: np.ndarray, balance: float, smooth: str = "Laplacian") -> np.ndarray:
    """scikit-image's Wiener-Hunt filter; `balance` weighs smoothness, of the Laplacian or of the gradient.

    With the gradient it is Wiener's filter of images with 1/f^2 spectra, as photographs have them about.
    """
    if smooth == "Laplacian":
        return np.asarray(restoration.wiener(channel, kernel, balance, clip=False))
    down, right = (2 - 2 * np.cos(2 * np.pi * np.fft.fftfreq(size)) for size in channel.shape)
    gradient = np.sqrt(down[:, None] + right[: channel.shape[1] // 2 + 1]).astype(complex)  # a transfer function
    return np.asarray(restoration.wiener(channel, kernel, balance, reg=gradient, clip=False))


def finite_wiener(channel: np.ndarray, kernel: np.ndarray, noise: float, support: int = 31) -> np.ndarray:
    """The filter that the network `deconvolution` begins at; `noise` is a share of the range. See `kernels.wiener`."""
    of_one = tf.constant(kernel[None], tf.float32)
    filter_ = kernels.wiener(of_one, 2 * noise, support)[0].numpy()  # networks' range is 2 wide
    wide = np.pad(channel, support // 2, "edge")
    return np.asarray(signal.fftconvolve(wide, filter_, "valid"))


def richardson_lucy(channel: np.ndarray, kernel: np.ndarray, iterations: int) -> np.ndarray:
    """scikit-image's Richardson-Lucy algorithm, stopped after so many iterations."""
    return np.asarray(restoration.richardson_lucy(channel.clip(1e-4), kernel, iterations, clip=False))


def total_variation(channel: np.ndarray, kernel: np.ndarray, coupling: float, weight: float) -> np.ndarray:
    """Least squares with a penalty of total variation, by half-quadratic splitting with scikit-image's denoising.

    Ten times in turn: the image whose blurred one is nearest to the channel, and which is near to the denoised one by
    `coupling`; and of this the denoised one, Chambolle's of `weight`.

    Reference: Wang, Yang, Yin & Zhang 2008; Chambolle 2004.
    """
    spectrum = _transfer(kernel, channel.shape)
    data, power = np.conj(spectrum) * np.fft.rfft2(channel), np.abs(spectrum) ** 2 + coupling
    smooth = channel
    for _ in range(10):
        sharp = np.fft.irfft2((data + coupling * np.fft.rfft2(smooth)) / power, channel.shape)
        smooth = restoration.denoise_tv_chambolle(sharp, weight=weight, max_num_iter=30)
    return np.asarray(smooth)


METHODS: Mapping[str, tuple[Restorer, Sequence[tuple[Any, ...]]]] = {
    "Wiener": (
        wiener,
        [(10**power, smooth) for smooth in ("Laplacian", "gradient") for power in np.arange(-3, 0.6, 0.25)],
    ),
    "finite Wiener": (finite_wiener, [(noise,) for noise in (0.005, 0.01, 0.014, 0.02, 0.03, 0.04, 0.06)]),
    "Richardson-Lucy": (richardson_lucy, [(count,) for count in (2, 3, 5, 8, 12, 20, 40)]),
    "total variation": (
        total_variation,
        [(coupling, weight) for coupling in (0.03, 0.1, 0.3) for weight in (0.005, 0.01, 0.02)],
    ),
}
"""Name -> what restores, and the settings to choose from."""


def main() -> int:
    """Tunes, restores and reports; see `benchmarks.reporting.finish`.

    Returns:
        0: there is no mark to reach.

    Raises:
        ValueError: the photographs are not there.
    """
    began = time.monotonic()
    choose, test = pictures("val", CHOSEN_BY), pictures("test")
    rows = [row for blur in BLURS for noise in NOISES for row in compared(choose, test, blur, noise)]
    return reporting.finish("deconvolution", began=began, rows=rows, marks=[], seed=SEED)


def compared(
    choose: np.ndarray, test: np.ndarray, blur: str, noise: float, methods: Sequence[str] = tuple(METHODS)
) -> list[dict[str, Any]]:
    """The rows of one blur and noise: the blurred pictures, every method, and every method with mismatched kernels.

    Args:
        choose: pictures to choose settings by, with what lies around them, [n, h, w, c] uint8.
        test: those to restore, likewise.
        blur: the degradation.
        noise: standard deviation, as a share of the range.
        methods: names of METHODS.
    """
    tuning, judged = (scene(of, blur, noise, key(SEED, 0, split)) for of, split in ((choose, "choose"), (test, "test")))
    where = {"blur": blur, "noise_percent": 100 * noise}
    rows = [where | {"method": "none", "kernel": ""} | measured(judged.truth, judged.blurred)]
    for name in methods:
        setting = tuned(name, tuning)
        for kernel, of in {"true": judged, **mismatches(judged)}.items():
            told = {"method": name, "kernel": kernel, "setting": " ".join(map(_told, setting))}
            rows.append(where | told | measured(judged.truth, restored(name, of, setting)))
    return rows


def pictures(split: str, most: int | None = None, root: Path = Path("data/photographs")) -> np.ndarray:
    """The squares of a split, or so many at equal distances: [n, h, w, c] uint8. Raises ValueError without any."""
    files = sorted((root / split).glob("*.png"))
    if not files:
        raise ValueError(f"deblurring is measured on photographs; {root / split} has none: ganworks fetch photographs")
    step = max(1, len(files) // (most or len(files)))
    return np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files[::step][:most]])


def scene(around: np.ndarray, blur: str, noise: float, within: Key, side: int = SIDE) -> Scene:
    """Blurs pictures as those that a trained restorer is judged on.

    Args:
        around: with what lies around them, [n, h, w, c] uint8.
        blur: the degradation; its random kernels are those to judge with.
        noise: standard deviation, as a share of the range.
        within: int64 [2], of kernels and noise.
        side: of the kernels, odd.
    """
    degradations = {blur: float(side), "noise": 2 * noise}  # networks' range is 2 wide
    made = degrade(tf.constant(pixels.scaled(around)), degradations, within, judged=True)
    used = kernels_of(degradations, within, len(around), judged=True).numpy()
    reach = side // 2
    soft = (made.numpy().astype(np.float64).clip(-1, 1) + 1) / 2
    return Scene(around[:, reach:-reach, reach:-reach], soft, used.astype(np.float64))


def mismatches(of: Scene) -> dict[str, Scene]:
    """What a method makes of a kernel that is a little wrong: of another direction, of another size."""
    return {f"turned by {TURN} degrees": turned(of), f"{LARGER:g} times as large": enlarged(of)}


def turned(of: Scene, degrees: float = TURN) -> Scene:
    """The same pictures beside kernels that are turned."""
    return _beside(of, ndimage.rotate(of.kernels, degrees, axes=(1, 2), reshape=False, order=1))


def enlarged(of: Scene, factor: float = LARGER) -> Scene:
    """The same pictures beside kernels that are so many times as large about their middle, in as much room."""
    middle = of.kernels.shape[1] // 2
    first = middle - middle / factor  # the place in the kernel that comes to lie at 0
    spread = [ndimage.affine_transform(each, [1 / factor] * 2, [first] * 2, order=1) for each in of.kernels]
    return _beside(of, np.stack(spread))


def _beside(of: Scene, kernels: np.ndarray) -> Scene:
    """The same pictures beside these kernels, which are made such as have the sum 1."""
    kernels = kernels.clip(0)
    return of._replace(kernels=kernels / kernels.sum(axis=(1, 2), keepdims=True))


def tuned(name: str, of: Scene) -> tuple[Any, ...]:
    """The setting of a method that has the highest PSNR."""
    found = {setting: measured(of.truth, restored(name, of, setting))["psnr_db"] for setting in METHODS[name][1]}
    return max(found, key=found.__getitem__)


def restored(name: str, of: Scene, setting: tuple[Any, ...]) -> np.ndarray:
    """What a method makes of all pictures, each channel by itself: [n, h, w, c] float64, about in [0, 1]."""
    method = METHODS[name][0]
    made = np.empty_like(of.blurred)
    for image, kernel, out in zip(of.blurred, of.kernels, made, strict=True):
        room = len(kernel)
        for channel in range(image.shape[-1]):
            wide = method(extended(image[..., channel], kernel, room), kernel, *setting)
            out[..., channel] = wide[room:-room, room:-room]
    return made


def extended(channel: np.ndarray, kernel: np.ndarray, room: int) -> np.ndarray:
    """A picture that wraps round without an edge, for methods that compute on a torus.

    It is mirrored beyond its edges, and at these passes into its own blurred torus, as far as the kernel is like itself
    when it is shifted.

    Args:
        channel: [h, w], larger than `room`.
        kernel: [side, side].
        room: pixels beyond each edge.

    Returns:
        [h + 2 room, w + 2 room].

    Reference: MATLAB's `edgetaper`, after mirroring.
    """
    wide = np.pad(channel, room, "symmetric")
    soft = np.fft.irfft2(np.fft.rfft2(wide) * _transfer(kernel, wide.shape), wide.shape)
    inner = np.ones(wide.shape)
    for axis, size in enumerate(wide.shape):
        profile = kernel.sum(axis=1 - axis)
        alike = signal.correlate(profile, profile)[len(profile) - 1 :]
        along = np.zeros(size)
        along[: len(alike)] = alike / alike[0]
        share = 1 - np.maximum(along, along[::-1])
        inner *= share[:, None] if axis == 0 else share
    return np.asarray(inner * wide + (1 - inner) * soft)


def measured(truth: np.ndarray, made: np.ndarray, crop: int = SIDE // 2) -> dict[str, float]:
    """PSNR and SSIM of pictures, [n, h, w, c] of [0, 1], beside the true ones of uint8; rounded as they are read."""
    rounded = np.rint(made.clip(0, 1) * 255).astype(np.uint8)
    return {
        "psnr_db": round(psnr(truth, rounded, crop=crop).value, 2),
        "ssim": round(ssim(truth, rounded, crop=crop).value, 4),
    }


def _told(part: Any) -> str:
    """A part of a setting, in words."""
    return part if isinstance(part, str) else f"{part:.3g}"


def _transfer(kernel: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The transform of a kernel whose middle lies at the origin of a torus of this shape."""
    wide = np.zeros(shape)
    wide[: len(kernel), : len(kernel)] = kernel
    return np.fft.rfft2(np.roll(wide, -(len(kernel) // 2), (0, 1)))


if __name__ == "__main__":
    sys.exit(main())
