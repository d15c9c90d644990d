# SPDX-License-Identifier: MIT
"""torch_mnist.py [fused] [compiled] [SEED]: MNIST with Adam, batch 128, as a user of PyTorch would
write it; `fused` asks for the fused Adam, `compiled` for torch.compile.  The net is 784-512-10, or
with NACRE_BENCH_NET=convnet Keras's own example of a convnet, channels last."""

import time

begin = time.time()
import sys

import mnist_data

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(mnist_data.THREADS)
fused, compiled = "fused" in sys.argv, "compiled" in sys.argv
torch.manual_seed(int(sys.argv[-1]) if sys.argv[-1].isdigit() else 0)
imported = time.time()

(x, y), (x_test, y_test) = mnist_data.load()
x, x_test = torch.from_numpy(x), torch.from_numpy(x_test)
y, y_test = torch.from_numpy(y.astype("int64")), torch.from_numpy(y_test.astype("int64"))
loaded = time.time()

if mnist_data.NET == "convnet":
    x, x_test = (t.reshape(-1, 1, 28, 28).contiguous(memory_format=torch.channels_last)
                 for t in (x, x_test))
    model = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3),
                          nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5),
                          nn.Linear(1600, 10)).to(memory_format=torch.channels_last)
else:
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
plain = model
if compiled:
    model = torch.compile(model)
optimizer = torch.optim.Adam(model.parameters(), fused=fused)

epochs = []
fit = time.time()
for _ in range(mnist_data.EPOCHS):
    start = time.time()
    order = torch.randperm(len(x))
    for i in range(0, len(x), 128):
        batch = order[i:i + 128]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    epochs.append(time.time() - start)
fitted = time.time()
with torch.no_grad():
    out = plain.eval()(x_test)
    test_loss = F.cross_entropy(out, y_test).item()
    accuracy = (out.argmax(1) == y_test).float().mean().item()
end = time.time()

mnist_data.report(name="torch" + "-fused" * fused + "-compiled" * compiled, start=imported - begin,
                  load=loaded - imported, compile=fit - loaded, fit=fitted - fit, epochs=epochs,
                  evaluate=end - fitted, total=end - begin, loss=test_loss, accuracy=accuracy)
