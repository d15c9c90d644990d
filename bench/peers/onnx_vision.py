# SPDX-License-Identifier: MIT
"""onnx_vision.py export NETWORK FOLDER: NETWORK.onnx out of the layers in NETWORK.keras and the
weights in NETWORK.safetensors, channels first, as ONNX Runtime likes it best; and what it predicts
of made up pictures without its optimizer: NETWORK.x.npy [16, height, width, 3], NETWORK.y.npy.

onnx_vision.py infer NETWORK FOLDER BATCH: ONNX Runtime on the first BATCH of those pictures."""

import json
import pathlib
import sys
import time
import zipfile

import mnist_data

import numpy as np
import onnxruntime

LEAST, SECONDS, MANY = 3, 1.5, 1000  # of predictions, as bench/vision.c
BATCH = 16


def safetensors(path):
    """{layer: {weight: array}}, of f32."""
    data = np.memmap(path, np.uint8, "r")
    begin = 8 + int(data[:8].view("<u8")[0])
    out = {}
    for name, t in json.loads(data[8:begin].tobytes()).items():
        if t.get("dtype") == "F32":
            layer, _, weight = name.rpartition("/")
            a, b = (begin + offset for offset in t["data_offsets"])
            out.setdefault(layer, {})[weight] = data[a:b].view("<f4").reshape(t["shape"])
    return out


def sources(x):
    """The names of the layers whose outputs a Keras config mentions, in order."""
    if isinstance(x, dict):
        if "keras_history" in x:
            return [x["keras_history"][0]]
        x = list(x.values())
    return [n for part in x for n in sources(part)] if isinstance(x, list) else []


def pair(value):
    return list(value) if isinstance(value, (list, tuple)) else [value, value]


class Value:
    """What a layer gives: its name in the graph; its shape in Keras, [height, width, channels]; and
    the zeros around it, which become padding of the window that reads it."""

    def __init__(self, name, shape, zeros=((0, 0), (0, 0))):
        self.name, self.shape, self.zeros = name, shape, zeros


class Graph:
    def __init__(self):
        import onnx
        self.onnx, self.nodes, self.constants = onnx, [], []

    def constant(self, name, value):
        value = np.ascontiguousarray(value, np.float32)
        self.constants.append(self.onnx.numpy_helper.from_array(value, name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(self.onnx.helper.make_node(op, inputs, [output], **attributes))
        return output

    def activation(self, kind, x, name):
        if kind == "linear":
            return x
        if kind in ("swish", "silu"):
            return self.node("Mul", [x, self.node("Sigmoid", [x], name + "/gate")], name + "/out")
        return self.node({"relu": "Relu", "sigmoid": "Sigmoid"}[kind], [x], name + "/out")

    def window(self, x, config):
        """The attributes of one that slides over x, and the height and width that it gives."""
        kernel = pair(config.get("kernel_size", config.get("pool_size")))
        strides, pads = pair(config["strides"] or kernel), x.zeros
        size = [n + sum(p) for n, p in zip(x.shape, pads)]
        if config["padding"] == "same":
            more = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(size, kernel, strides)]
            pads = [(p[0] + m // 2, p[1] + m - m // 2) for p, m in zip(pads, more)]
            size = [n + m for n, m in zip(size, more)]
        (top, bottom), (left, right) = pads
        return ({"kernel_shape": kernel, "strides": strides, "pads": [top, left, bottom, right]},
                [(n - k) // s + 1 for n, k, s in zip(size, kernel, strides)])

    def layer(self, kind, name, config, inputs, weight):
        x, constant = inputs[0], lambda part, value: self.constant(f"{name}/{part}", value)
        names = [v.name for v in inputs]
        if kind in ("Conv2D", "DepthwiseConv2D"):
            attributes, size = self.window(x, config)
            kernel, deep = weight["kernel"], kind == "Conv2D"
            channels = kernel.shape[3 if deep else 2]
            names.append(constant("kernel", kernel.transpose((3, 2, 0, 1) if deep
                                                             else (2, 3, 0, 1))))
            if "bias" in weight:
                names.append(constant("bias", weight["bias"]))
            y = self.node("Conv", names, name, group=1 if deep else channels, **attributes)
            return Value(self.activation(config["activation"], y, name), [*size, channels])
        if kind == "MaxPooling2D":  # of what a relu left, where zeros around change nothing
            attributes, size = self.window(x, config)
            return Value(self.node("MaxPool", names, name, **attributes), [*size, x.shape[2]])
        if kind == "Dense":  # its rows go by height, width, channel; here the channel is first
            kernel = weight["kernel"].reshape(*x.shape, -1).transpose(2, 0, 1, 3)
            names = [self.node("Flatten", names, name + "/flat"),
                     constant("kernel", kernel.reshape(-1, kernel.shape[3])),
                     constant("bias", weight["bias"])]
            y = self.activation(config["activation"], self.node("Gemm", names, name), name)
            return Value(y, [1, 1, kernel.shape[3]])
        if kind == "GlobalAveragePooling2D":
            return Value(self.node("GlobalAveragePool", names, name), [1, 1, x.shape[2]])
        if kind == "ZeroPadding2D":
            return Value(x.name, x.shape, config["padding"])
        if kind == "BatchNormalization":
            names += [constant(part, weight[part])
                      for part in ("gamma", "beta", "moving_mean", "moving_variance")]
            y = self.node("BatchNormalization", names, name, epsilon=config["epsilon"])
        elif kind == "ReLU" and config["max_value"] == 6:
            y = self.node("Clip", [*names, constant("low", 0), constant("high", 6)], name)
        elif kind == "Activation":
            y = self.activation(config["activation"], x.name, name)
        elif kind in ("Add", "Multiply"):
            y = self.node({"Add": "Add", "Multiply": "Mul"}[kind], names, name)
        elif kind == "Rescaling" and config["offset"] == 0:
            y = self.node("Mul", [*names, constant("scale", config["scale"])], name)
        elif kind == "Normalization" and not (weight["mean"].any() or
                                              (weight["variance"] - 1).any()):
            y = x.name
        elif kind in ("Dropout", "Flatten", "Reshape"):  # this one to [1, 1, channels]
            y = x.name
        else:
            sys.exit(f"onnx_vision: {name}: a {kind} like this one is not known")
        return Value(y, x.shape, x.zeros)


def export(network, folder):
    model = json.loads(zipfile.ZipFile(folder / f"{network}.keras").read("config.json"))["config"]
    weights = safetensors(folder / f"{network}.safetensors")
    g, values = Graph(), {}
    for layer in model["layers"]:
        name = layer["name"]
        if layer["class_name"] == "InputLayer":
            shape = layer["config"]["batch_shape"][1:]
            values[name] = Value("x", shape)
        else:
            inputs = [values[s] for s in sources(layer["inbound_nodes"])]
            values[name] = g.layer(layer["class_name"], name, layer["config"], inputs,
                                   weights.get(name, {}))
    g.node("Identity", [values[model["output_layers"][0]].name], "y")
    info, float32 = g.onnx.helper.make_tensor_value_info, g.onnx.TensorProto.FLOAT
    graph = g.onnx.helper.make_graph(
        g.nodes, network, [info("x", float32, ["n", shape[2], shape[0], shape[1]])],
        [info("y", float32, ["n", "classes"])], g.constants)
    opset = g.onnx.helper.make_opsetid("", 17)
    g.onnx.save(g.onnx.helper.make_model(graph, ir_version=10, opset_imports=[opset]),
                folder / f"{network}.onnx")

    x = np.random.default_rng(0).random((BATCH, *shape), np.float32)
    if "rescaling" in values:
        x *= 255
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    y, = session(network, folder, options).run(None, {"x": channels_first(x)})
    np.save(folder / f"{network}.x.npy", x)
    np.save(folder / f"{network}.y.npy", y)


def channels_first(x):
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def session(network, folder, options):
    options.intra_op_num_threads, options.inter_op_num_threads = mnist_data.THREADS, 1
    return onnxruntime.InferenceSession(folder / f"{network}.onnx", options,
                                        providers=["CPUExecutionProvider"])


def infer(network, folder, batch):
    start = time.perf_counter()
    x = channels_first(np.load(folder / f"{network}.x.npy", mmap_mode="r")[:batch])
    s = session(network, folder, onnxruntime.SessionOptions())
    y, = s.run(None, {"x": x})
    first = time.perf_counter() - start
    times = []
    start = time.perf_counter()
    while len(times) < LEAST or len(times) < MANY and time.perf_counter() - start < SECONDS:
        began = time.perf_counter()
        y, = s.run(None, {"x": x})
        times.append(time.perf_counter() - began)
    times.sort()
    wanted = np.load(folder / f"{network}.y.npy")[:batch]
    mnist_data.report(name="onnxruntime", network=network, median=times[len(times) // 2],
                      best=times[0], batch=batch, first=first,
                      difference=float(abs(y - wanted).max() / abs(wanted).max()))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[3])
    if sys.argv[1] == "export":
        export(sys.argv[2], folder)
    else:
        infer(sys.argv[2], folder, int(sys.argv[4]))
