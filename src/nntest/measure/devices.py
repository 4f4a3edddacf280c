"""OpenCL devices: which one is meant, what its programs need around them, and what it calls itself.

The program itself is asked, once it is built: what it answers is the device that will be measured, wherever that is.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nntest.errors import MissingPartError
from nntest.measure.libraries.clblast import INSTALL_DEVICE
from nntest.measure.request import RunRequest
from nntest.model.case import Platform

#: Kind of target of the programs that run on an OpenCL device.
OPENCL = "opencl"
#: The original's variable for the tuner of the library: NONE, DEFAULT.
TUNER_KEY = "CK_LWS_TUNER_TYPE"


def device_environment(request: RunRequest, cache_root: Path) -> dict[str, str]:
    """Return what OpenCL programs need in their environment: the device, and where compiled kernels are kept."""
    kernels, tuned = cache_root / "kernels", cache_root / "tuned"
    for folder in (kernels, tuned):
        folder.mkdir(parents=True, exist_ok=True)
    environment = {"POCL_CACHE_DIR": str(kernels), "NNTEST_TUNED": str(tuned)}
    # in CK's names
    for key, number in (
        ("CK_COMPUTE_PLATFORM_ID", request.compute_platform_id),
        ("CK_COMPUTE_DEVICE_ID", request.compute_device_id),
    ):
        if number is not None:
            environment[key] = str(number)
    return environment


def platform_with_device(platform: Platform, described: Mapping[str, Any], *, program: str) -> Platform:
    """Return the platform with the device that a program runs on; unchanged where the program does not tell.

    Parameters
    ----------
    described
        What the program says of itself: ``device`` and ``driver``, or ``device_missing``, the reason.

    Raises
    ------
    MissingPartError
        There is no device, or not the one that was asked for.
    """
    reason = described.get("device_missing")
    if reason:
        advice = "correct the number" if "numbered from 0" in str(reason) else f"install one with `{INSTALL_DEVICE}`"
        raise MissingPartError(f"{program}: {reason}; {advice}, or choose another program from `nntest list programs`")
    if platform.gpu or "device" not in described:
        return platform
    return replace(platform, gpu=str(described["device"]), driver=str(described.get("driver", "")))
