#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# optimizers.py - training that changes hands between Keras and Nacre.
#
#     python3 tests/peers/optimizers.py build/release/cli/nacre [PART OF A NAME]
#
# For every optimizer, and for the options that keep numbers of their own, a model is trained by one
# of the two, saved, and trained on by each of them: weights, and every variable of the optimizer by
# its place, must agree.  Then the other way round.  Needs keras (3), a backend for it, and h5py;
# without them it says so and exits with 77.
#
# A case is only one if it is well conditioned: where the two differ, the script also tells by how
# much Keras differs from Keras after each weight was moved to its neighbour.
import io
import os
import subprocess
import sys
import tempfile
import warnings
import zipfile

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import h5py
    import keras
    import numpy as np
except ImportError as e:
    print(f"skipped: {e}: this needs keras, a backend, numpy and h5py")
    sys.exit(77)

O = keras.optimizers
ABSOLUTE, RELATIVE = 2e-5, 1e-3
SAMPLES, BATCH = 30, 7

PLAIN = {
    "sgd": lambda **k: O.SGD(0.05, **k),
    "sgd-momentum": lambda **k: O.SGD(0.05, momentum=0.9, nesterov=True, **k),
    "rmsprop": lambda **k: O.RMSprop(0.01, **k),
    "rmsprop-all": lambda **k: O.RMSprop(0.01, momentum=0.5, centered=True, **k),
    "rmsprop-centered": lambda **k: O.RMSprop(0.01, centered=True, **k),
    "adam": lambda **k: O.Adam(0.01, **k),
    "adam-amsgrad": lambda **k: O.Adam(0.01, amsgrad=True, **k),
    "adamw": lambda **k: O.AdamW(0.01, weight_decay=0.02, **k),
    "adagrad": lambda **k: O.Adagrad(0.05, **k),
    "adadelta": lambda **k: O.Adadelta(0.5, **k),
    "adamax": lambda **k: O.Adamax(0.01, **k),
    "nadam": lambda **k: O.Nadam(0.01, **k),
    "lion": lambda **k: O.Lion(0.002, **k),
    "lamb": lambda **k: O.Lamb(0.01, **k),
    "ftrl": lambda **k: O.Ftrl(0.05, l1_regularization_strength=0.001, **k),
    "adafactor": lambda **k: O.Adafactor(0.02, **k),
    "muon": lambda **k: O.Muon(0.01, **k),
    "schedule_free_adamw": lambda **k: O.ScheduleFreeAdamW(0.01, warmup_steps=3, **k),
}
KEPT = {
    "ema": {"use_ema": True, "ema_momentum": 0.9},
    "ema-overwrite": {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3},
    "accumulation": {"gradient_accumulation_steps": 2},
    "both": {"use_ema": True, "gradient_accumulation_steps": 3},
}


def decay():
    return O.schedules.ExponentialDecay(0.02, 5, 0.8)


# What the loss scale is around.  With targets as large as these SGD at 0.05 leaves tanh saturated,
# and a change of one bit grows to 0.4 in ten steps.
SCALED = {
    "sgd-momentum": lambda: O.SGD(0.001, momentum=0.9, nesterov=True),
    "adam": PLAIN["adam"],
    "adafactor": PLAIN["adafactor"],
}


def cases():
    for name, make in PLAIN.items():
        yield name, make
        if name in ("sgd", "rmsprop-all", "adam", "adam-amsgrad", "nadam", "adafactor", "muon"):
            for option, keywords in KEPT.items():
                yield f"{name}-{option}", lambda m=make, k=keywords: m(**k)
    yield "adam-schedule", lambda: O.Adam(decay())
    for growth, scale in ((2, 2.0**15), (2000, 2.0**15), (3, 2.0**127)):
        for inner in SCALED:
            yield (
                f"loss_scale-{inner}-{growth}-{scale:g}",
                lambda i=inner, g=growth, s=scale: O.LossScaleOptimizer(
                    SCALED[i](), initial_scale=s, dynamic_growth_steps=g
                ),
            )
    yield "loss_scale-adam-both", lambda: O.LossScaleOptimizer(
        PLAIN["adam"](**KEPT["both"]), initial_scale=2.0**127, dynamic_growth_steps=4
    )
    yield "loss_scale-schedule", lambda: O.LossScaleOptimizer(O.SGD(decay(), momentum=0.9))


def model(optimizer, activation):
    m = keras.Sequential([
        keras.Input((3,), dtype="int32"),
        keras.layers.Embedding(7, 4),
        keras.layers.Flatten(),
        keras.layers.Dense(6, activation),
        keras.layers.Dense(2),
    ])
    m.compile(optimizer, "mse", metrics=["mae"])
    return m


def by_keras(source, epochs, x, y, target, fresh=False, moved=False):
    with warnings.catch_warnings():
        # Keras only warns of state that does not fit, and does so of its own where there is none
        warnings.simplefilter("ignore" if fresh else "error")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        m = keras.models.load_model(source)
    for v in m.trainable_variables if moved else ():
        v.assign(np.nextafter(keras.ops.convert_to_numpy(v), np.float32(np.inf)))
    m.fit(x, y, epochs=epochs, batch_size=BATCH, shuffle=False, verbose=0)
    m.save(target)


def by_nacre(nacre, source, epochs, folder, target):
    command = [nacre, "train", source, "--x", f"{folder}/x.npy", "--y", f"{folder}/y.npy", "-e",
               str(epochs), "-b", str(BATCH), "--no-shuffle", "-o", target, "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def variables(path):
    found = {}
    with zipfile.ZipFile(path) as z:
        with h5py.File(io.BytesIO(z.read("model.weights.h5"))) as f:
            f.visititems(lambda n, o: found.update({n: o[()]})
                         if isinstance(o, h5py.Dataset) else None)
    return found


def compare(what, got, expected):
    a, b = variables(got), variables(expected)
    if a.keys() != b.keys():
        return [f"{what}: only one has {sorted(a.keys() ^ b.keys())}"]
    wrong = []
    for name in sorted(a):
        p, q = np.asarray(a[name], "f8"), np.asarray(b[name], "f8")
        if p.shape != q.shape:
            wrong.append(f"{what}: {name}: {p.shape} and {q.shape}")
        elif not np.all(np.abs(p - q) <= ABSOLUTE + RELATIVE * np.abs(q)):
            wrong.append(f"{what}: {name}: differs by {np.abs(p - q).max():.3g}")
    return wrong


def check(nacre, make, folder, scaled):
    # Large losses overflow where the scale is large, and so change it.  JAX's derivative of tanh
    # doubles a gradient before it multiplies by what is small: it is nan where the gradient is not.
    size, activation = (30, "relu") if scaled else (1, "tanh")
    rng = np.random.default_rng(5)
    x = rng.integers(0, 7, (SAMPLES, 3)).astype("int32")
    y = (size * rng.standard_normal((SAMPLES, 2))).astype("float32")
    np.save(f"{folder}/x.npy", x)
    np.save(f"{folder}/y.npy", y)
    keras.utils.set_random_seed(3)
    at = lambda name: f"{folder}/{name}.keras"
    m = model(make(), activation)
    if isinstance(m.optimizer, O.ScheduleFreeAdamW):  # Keras fills z before it loads the weights
        m.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)
    m.save(at("fresh"))
    by_keras(at("fresh"), 1, x, y, at("k"), fresh=True)
    by_nacre(nacre, at("fresh"), 1, folder, at("n"))
    wrong = compare("a fresh one, trained by nacre and by keras", at("n"), at("k"))
    for first, name in (("k", "keras"), ("n", "nacre")):
        by_keras(at(first), 2, x, y, at(first + "k"))
        by_nacre(nacre, at(first), 2, folder, at(first + "n"))
        more = compare(f"begun by {name}, gone on with by nacre and by keras", at(first + "n"),
                       at(first + "k"))
        if more:
            by_keras(at(first), 2, x, y, at("moved"), moved=True)
            more += compare("keras, by itself, with weights moved by a bit", at("moved"),
                            at(first + "k"))[:1]
        wrong += more
    return wrong


def main():
    nacre, part = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    failed = passed = 0
    for name, make in cases():
        if part not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                wrong = check(nacre, make, folder, name.startswith("loss_scale"))
            except Exception as e:
                wrong = [f"{type(e).__name__}: {str(e)[:300]}"]
        passed += not wrong
        failed += bool(wrong)
        print("ok    " if not wrong else "FAILED", name, flush=True)
        for line in wrong[:6]:
            print("      ", line)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
