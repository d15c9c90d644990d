# SPDX-License-Identifier: MIT
"""What the peers' programs share: MNIST from the repository's data/mnist (or $MNIST), the number
of threads from $NACRE_BENCH_THREADS (1 or more; 0 or unset: all), and the line of results."""

import gzip
import os
import pathlib
import resource

THREADS = int(os.environ.get("NACRE_BENCH_THREADS", "0")) or len(os.sched_getaffinity(0))
# JAX's pool has as many threads as it sees processors; OpenMP and BLAS read these variables.  All
# of it must stand before the framework is imported.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(THREADS)
os.environ["TF_NUM_INTRAOP_THREADS"] = str(THREADS)
os.environ["TF_NUM_INTEROP_THREADS"] = str(THREADS)
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

# the net that is trained, and for how many epochs: bench/run says
NET = os.environ.get("NACRE_BENCH_NET", "mlp")
EPOCHS = int(os.environ.get("NACRE_BENCH_EPOCHS", "5"))

FOLDER = pathlib.Path(os.environ.get("MNIST") or
                      pathlib.Path(__file__).resolve().parents[2] / "data" / "mnist")


def idx(name):
    import numpy as np
    plain = FOLDER / name
    data = plain.read_bytes() if plain.exists() else gzip.open(FOLDER / f"{name}.gz").read()
    rank = data[3]
    shape = np.frombuffer(data, ">i4", rank, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load():
    """Images [n, 784] in 0..1, f32, and labels [n]: train, test."""
    return [(idx(f"{part}-images-idx3-ubyte").reshape(-1, 784).astype("float32") / 255,
             idx(f"{part}-labels-idx1-ubyte")) for part in ("train", "t10k")]


def report(**values):
    """One line of key=value; epochs=[..] as a comma-separated list."""
    values["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    values["threads"] = THREADS
    parts = []
    for key, value in values.items():
        if isinstance(value, list):
            value = ",".join(f"{v:.4f}" for v in value)
        elif isinstance(value, float):
            value = f"{value:.6g}"
        parts.append(f"{key}={value}")
    print(" ".join(parts), flush=True)
