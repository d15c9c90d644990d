#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# lookups.py - models that look texts and numbers up, written by Nacre, in Keras on TensorFlow.
#
#     python3 tests/peers/lookups.py build/release/cli/nacre
#
# Every tests/fixtures/keras_files/lookup_*.keras goes through `nacre convert`, and must give in Keras
# what it gave before, bit for bit.  Needs keras (3) and tensorflow; without them it says so and exits
# with 77.
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import keras
    import numpy as np
    import tensorflow as tf
except ImportError as e:
    print(f"skipped: {e}: this needs keras and tensorflow")
    sys.exit(77)

FILES = Path(__file__).resolve().parent.parent / "fixtures" / "keras_files"
sys.path.insert(0, str(FILES))
import make_tensorflow as fixtures


def same(stem, m):
    if "invert" in stem:
        x = fixtures.INDICES
    elif "integer" in stem or "discretization" in stem:
        x = fixtures.NUMBERS
    else:
        x = tf.constant(fixtures.KNOWN if "no_oov" in stem else fixtures.WORDS)
    y = m.predict(x, verbose=0)
    words = FILES / f"{stem}_y.txt"
    if words.exists():
        return [w.decode() for w in y.flatten()] == words.read_text().split("\n")[:-1]
    return np.array_equal(np.asarray(y, "float32"), np.load(FILES / f"{stem}_y.npy"))


def main():
    nacre, wrong, n = os.path.abspath(sys.argv[1]), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/out.keras"
        for path in sorted(FILES.glob("lookup_*.keras")):
            subprocess.run([nacre, "convert", path, out, "--quiet"], check=True)
            good = same(path.stem, keras.models.load_model(out))
            print("ok    " if good else "FAILED", path.stem, flush=True)
            wrong += not good
            n += 1
    print(f"{n - wrong} passed, {wrong} failed")
    return 1 if wrong or not n else 0


if __name__ == "__main__":
    sys.exit(main())
