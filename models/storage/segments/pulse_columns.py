"""What all agents did within ten seconds, as bytes for `segment.Pulse`.

`data` is an array of `PULSE`, one entry per agent that did something, sorted by agent. `responses` is an array of
`RESPONSE`: a sparse, mergeable histogram of response times per agent, with logarithmic bins.
"""

import numpy as np
import numpy.typing as npt

PULSE_US = 10_000_000

PULSE = np.dtype(
    [
        ("agent", "<u4"),
        ("messages", "<u4"),
        ("cpu", "<f4"),  # mean of its headline series, in the unit of its `Headline`; NaN: no sample
        ("cpu_max", "<f4"),
        ("memory", "<f8"),  # last value
        ("finished", "<u4"),  # tasks completed or failed, requests answered or timed out
        ("failed", "<u4"),
        ("attempts", "<u4"),  # connections, from counters (exact increases) or events
        ("successes", "<u4"),
        ("errors", "<u4"),
        ("log_errors", "<u4"),
    ]
)
RESPONSE = np.dtype([("agent", "<u4"), ("bin", "<i2"), ("n", "<u4")])

BIN_RATIO = 1.04
"""Upper edge of a bin over its lower edge: a quantile read from it is off by at most 2 % when the geometric middle is taken."""


def response_bin(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    """Bin of each response time; times at or below 1 ns share the lowest bin."""
    safe = np.maximum(seconds, 1e-9)
    bins: npt.NDArray[np.int16] = np.clip(np.floor(np.log(safe) / np.log(BIN_RATIO)), -32_000, 32_000).astype(np.int16)
    return bins


def bin_middle_s(bins: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """Geometric middle of each bin, seconds."""
    middle: npt.NDArray[np.float64] = np.exp((bins.astype(np.float64) + 0.5) * np.log(BIN_RATIO))
    return middle
