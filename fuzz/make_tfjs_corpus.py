#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# Writes fuzz/corpus/tfjs: a model.json, a zero byte, and the bytes of every shard it names (see
# fuzz_tfjs.c).  Needs nothing but Python; always writes the same bytes.
import copy
import json
import os
import struct

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "tfjs")
os.makedirs(HERE, exist_ok=True)

DENSE = {"class_name": "Dense", "config": {
    "name": "dense", "units": 2, "activation": "linear", "use_bias": True, "trainable": True,
    "batch_input_shape": [None, 2], "dtype": "float32"}}
DEPTHWISE = {"class_name": "DepthwiseConv2D", "config": {
    "name": "dw", "kernel_size": [1, 1], "strides": [1, 1], "padding": "valid", "groups": 1,
    "kernel_initializer": {"class_name": "Zeros", "config": {}}, "use_bias": False,
    "batch_input_shape": [None, 2, 2, 2], "depth_multiplier": 1}}


def model(layer, weights, paths=("w.bin",)):
    return {"format": "layers-model", "modelTopology": {
        "keras_version": "2.1.6", "model_config": {"class_name": "Sequential", "config": {
            "name": "m", "layers": [layer]}}},
        "weightsManifest": [{"paths": list(paths), "weights": weights}]}


KERNEL = {"name": "dense/kernel", "shape": [2, 2], "dtype": "float32"}
BIAS = {"name": "dense/bias", "shape": [2], "dtype": "float32"}
GOOD = model(DENSE, [KERNEL, BIAS])
BYTES = struct.pack("<6f", 1, 2, 3, 4, 5, 6)


def put(name, top, data=BYTES):
    text = top if isinstance(top, bytes) else json.dumps(top).encode()
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(text + b"\0" + data)


def changed(change):
    top = copy.deepcopy(GOOD)
    change(top)
    return top


def weight(**more):
    return changed(lambda t: t["weightsManifest"][0]["weights"][0].update(more))


def group(**more):
    return changed(lambda t: t["weightsManifest"][0].update(more))


def quantized(kind, **more):
    return model(DENSE, [KERNEL | {"quantization": {"dtype": kind} | more}, BIAS])


put("ok-dense", GOOD)
put("ok-config", changed(lambda t: t.update(modelTopology=t["modelTopology"]["model_config"])))
put("ok-shards", group(paths=["a", "b", "c"],
                       weights=[KERNEL | {"dtype": "uint8"}, BIAS | {"dtype": "bool"}]), b"\1\2")
put("ok-uint8", quantized("uint8", scale=0.5, min=-1), bytes(4) + BYTES[:8])
put("ok-uint16", quantized("uint16", scale=0.5, min=-1), bytes(8) + BYTES[:8])
put("ok-float16", quantized("float16"), bytes(8) + BYTES[:8])
put("ok-int32", weight(dtype="int32"))
put("ok-depthwise", model(DEPTHWISE, [{"name": "dw/depthwise_kernel", "shape": [1, 1, 2, 1],
                                       "dtype": "float32"}]), BYTES[:8])
put("bad-cut", json.dumps(GOOD).encode()[:90])
put("bad-empty", b"")
put("bad-list", [])
put("bad-graph", changed(lambda t: t.update(format="graph-model")))
put("bad-no-topology", changed(lambda t: t.pop("modelTopology")))
put("bad-null-topology", changed(lambda t: t.update(modelTopology=None)))
put("bad-no-manifest", changed(lambda t: t.pop("weightsManifest")))
put("bad-manifest", changed(lambda t: t.update(weightsManifest={"a": 1})))
put("bad-up", group(paths=["../w.bin"]))
put("bad-folder", group(paths=["a/w.bin"]))
put("bad-absolute", group(paths=["/etc/passwd"]))
put("bad-dots", group(paths=[".."]))
put("bad-backslash", group(paths=["..\\w.bin"]))
put("bad-zero", group(paths=["w\0.bin"]))
put("bad-no-name", group(paths=[""]))
put("bad-path-number", group(paths=[7]))
put("bad-no-paths", changed(lambda t: t["weightsManifest"][0].pop("paths")))
put("bad-short", GOOD, BYTES[:-1])
put("bad-long", GOOD, BYTES + b"\0")
put("bad-none", GOOD, b"")
put("bad-shape", weight(shape=[2, 3]))
put("bad-rank", weight(shape=[4]))
put("bad-huge", weight(shape=[1 << 39, 1 << 39]))
put("bad-negative", weight(shape=[-2, -2]))
put("bad-fraction", weight(shape=[2.5, 2]))
put("bad-ranks", weight(shape=[1] * 9))
put("bad-dtype", weight(dtype="complex64"))
put("bad-string", weight(dtype="string"))
put("bad-name", weight(name="other/kernel"))
put("bad-twice", weight(name="dense/bias", shape=[2]))
put("bad-nameless", weight(name=None))
put("bad-quantization", quantized("int7", scale=1, min=0))
put("bad-quantized-f32", quantized("float32", scale=1, min=0))
put("bad-scale", quantized("uint8", scale="1", min=0), bytes(4) + BYTES[:8])
put("bad-no-min", quantized("uint8", scale=1), bytes(4) + BYTES[:8])
put("bad-more", model(DENSE, [KERNEL, BIAS, BIAS | {"name": "more/bias"}]), BYTES + BYTES[:8])
put("bad-less", model(DENSE, [KERNEL]), BYTES[:16])
put("bad-layer", model(DENSE | {"class_name": "Lambda"}, [KERNEL, BIAS]))
put("bad-network", changed(lambda t: t.update(modelTopology=None, weightsManifest=[{
    "paths": ["w"], "weights": [{"name": "block5_conv4/kernel", "shape": [1, 1, 1, 1],
                                 "dtype": "uint8"}]}])), b"\0")
