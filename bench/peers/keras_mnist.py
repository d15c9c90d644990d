# SPDX-License-Identifier: MIT
"""keras_mnist.py BACKEND [SEED]: MNIST with Adam, batch 128, as a user of Keras would write it;
BACKEND is jax or tensorflow.  The net is 784-512-10, or with NACRE_BENCH_NET=convnet Keras's own
example of a convnet."""

import time

begin = time.time()
import os
import sys

import mnist_data

os.environ["KERAS_BACKEND"] = sys.argv[1]
import keras

if sys.argv[1] == "tensorflow":
    import tensorflow
    tensorflow.config.threading.set_intra_op_parallelism_threads(mnist_data.THREADS)
    tensorflow.config.threading.set_inter_op_parallelism_threads(mnist_data.THREADS)
keras.utils.set_random_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
imported = time.time()

(x, y), (x_test, y_test) = mnist_data.load()
y, y_test = keras.utils.to_categorical(y), keras.utils.to_categorical(y_test)
loaded = time.time()

if mnist_data.NET == "convnet":
    x, x_test = x.reshape(-1, 28, 28, 1), x_test.reshape(-1, 28, 28, 1)
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(64, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10, activation="softmax"),
    ])
else:
    model = keras.Sequential([
        keras.Input((784,)),
        keras.layers.Dense(512, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])


class Epochs(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.time()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.time() - self.start)


epochs = Epochs()
fit = time.time()
model.fit(x, y, epochs=mnist_data.EPOCHS, batch_size=128, verbose=0, callbacks=[epochs])
fitted = time.time()
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
end = time.time()

mnist_data.report(name=f"keras-{sys.argv[1]}", start=imported - begin, load=loaded - imported,
                  compile=fit - loaded, fit=fitted - fit, epochs=epochs.seconds,
                  evaluate=end - fitted, total=end - begin, loss=loss, accuracy=accuracy)
