#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Writes fuzz/corpus/keras/: texts of config.json, ok-* to be accepted, bad-* to be refused.  Those of
# real Keras come out of tests/fixtures/keras_files.
import copy
import json
import os
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "tests", "fixtures", "keras_files")
OUT = os.path.join(HERE, "corpus", "keras")


def put(name, text):
    with open(os.path.join(OUT, name + ".json"), "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())


def layer(class_name, /, **config):
    return {"module": "keras.layers", "class_name": class_name, "config": config}


INPUT = layer("InputLayer", batch_shape=[None, 4], name="in")


def row(*layers, **more):
    config = {"name": "s", "layers": [INPUT, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config, **more}


def tensor(name, node=0, index=0):
    return {"class_name": "__keras_tensor__",
            "config": {"shape": [None, 4], "dtype": "float32", "keras_history": [name, node, index]}}


def net(layers, outputs, inputs=("in", 0, 0)):
    first = dict(INPUT, name="in", inbound_nodes=[])
    config = {"name": "n", "layers": [first, *layers], "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def entry(name, class_name, nodes, **config):
    return dict(layer(class_name, name=name, **config), name=name, inbound_nodes=nodes)


def node(*args):
    return {"args": list(args), "kwargs": {}}


def compiled(**config):
    return row(layer("Dense", units=2), compile_config={"loss": "mse", **config})


def optimizer(class_name, /, **config):
    return {"module": "keras.optimizers", "class_name": class_name, "config": config}


def main():
    os.makedirs(OUT, exist_ok=True)
    for name in ("sequential", "functional", "embedding", "adam_before", "sgd_before", "rmsprop_before"):
        put("ok-" + name, zipfile.ZipFile(os.path.join(FIXTURES, name + ".keras")).read("config.json"))
    put("bad-lambda", zipfile.ZipFile(os.path.join(FIXTURES, "lambda.keras")).read("config.json"))
    dense = layer("Dense", units=3, name="d")
    inner = row(layer("Dense", units=4))
    inner["config"]["name"] = "inner"
    texts = {
        "ok-small": row(dense),
        "ok-nested": row(inner, dense),
        "ok-keras2": {"class_name": "Sequential", "config": {"name": "s", "layers": [
            {"class_name": "Dense", "config": {"units": 3, "batch_input_shape": [None, 4]}}]}},
        "ok-keras2-net": net([dict(layer("Dense", units=2, name="d"), name="d",
                                   inbound_nodes=[[["in", 0, 0, {}]]])], [["d", 0, 0]], [["in", 0, 0]]),
        "ok-shared": net([entry("d", "Dense", [node(tensor("in")), node(tensor("d"))], units=4)],
                         [["d", 0, 0], ["d", 1, 0]]),
        "ok-schedule": compiled(optimizer=optimizer("SGD", learning_rate={
            "class_name": "PiecewiseConstantDecay", "config": {"boundaries": [1, 2], "values": [3, 2, 1]}})),
        "ok-metrics": compiled(metrics=["mae", {"class_name": "MeanSquaredError", "config": {}}]),
        "bad-empty": "",
        "bad-text": "\"Sequential\"",
        "bad-cut": json.dumps(row(dense))[:-1],
        "bad-twice": '{"class_name": "Sequential", "class_name": "Sequential"}',
        "bad-deep": "[" * 100 + "]" * 100,
        "bad-class": row(layer("Evil")),
        "bad-module": row(dict(dense, module="os")),
        "bad-registered": row(dict(dense, registered_name="mine>Dense")),
        "bad-option": row(layer("Dense", units=3, speed=4)),
        "bad-units": row(layer("Dense", units=1e300)),
        "bad-huge": row(layer("Dense", units=10 ** 12)),
        "bad-shape": row(layer("Reshape", target_shape=[0])),
        "bad-activation": row(layer("Dense", units=3, activation={"class_name": "__lambda__"})),
        "bad-initializer": row(layer("Dense", units=3, kernel_initializer="magic")),
        "bad-dtype": row(layer("Dense", units=3, dtype="float16")),
        "bad-names": row(dense, dense),
        "bad-cycle": net([entry("a", "Dense", [node(tensor("b"))], units=4),
                          entry("b", "Dense", [node(tensor("a"))], units=4)], [["a", 0, 0]]),
        "bad-node": net([entry("a", "Dense", [node(tensor("in", 3))], units=4)], [["a", 0, 0]]),
        "bad-index": net([entry("a", "Dense", [node(tensor("in", 0, 1))], units=4)], [["a", 0, 0]]),
        "bad-output": net([entry("a", "Dense", [node(tensor("in"))], units=4)], [["x", 0, 0]]),
        "bad-optimizer": compiled(optimizer=optimizer("Magic")),
        "bad-decay": compiled(optimizer=optimizer("Adam", decay=0.5)),
        "bad-loss": row(layer("Dense", units=2), compile_config={"loss": "magic"}),
    }
    for name, value in texts.items():
        put(name, value if isinstance(value, str) else json.dumps(copy.deepcopy(value)))


if __name__ == "__main__":
    main()
