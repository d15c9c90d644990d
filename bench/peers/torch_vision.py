# SPDX-License-Identifier: MIT
"""torch_vision.py resnet20 FOLDER [compiled]: images per second of Keras's ResNet-20, batch 128, on
the CIFAR-10 pictures in FOLDER (cifar.x.npy, cifar.y.npy), which are in memory and changed at
random, a batch at once: every other one is mirrored, each is shifted by up to 4 pixels.

torch_vision.py resnet50 - [compiled]: the step of Keras's ResNet-50 on 16 made up pictures of
224 x 224.  Both as bench/vision.c has them: channels last, fused SGD with Nesterov's momentum."""

import pathlib
import sys
import time

import mnist_data

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(mnist_data.THREADS)
torch.manual_seed(0)
EPOCHS, STEPS = 4, 5  # as bench/vision.c: the first epoch, and two steps more, are the warm-up


def conv(inputs, outputs, size, stride=1, normalize=True, relu=True):
    parts = [nn.Conv2d(inputs, outputs, size, stride, size // 2)]
    if normalize:
        parts.append(nn.BatchNorm2d(outputs))
    if relu:
        parts.append(nn.ReLU(inplace=True))
    return nn.Sequential(*parts)


class Block(nn.Module):
    def __init__(self, main, shortcut):
        super().__init__()
        self.main, self.shortcut = main, shortcut

    def forward(self, x):
        return F.relu(self.main(x) + self.shortcut(x), inplace=True)


def resnet20():
    parts, channels = [conv(3, 16, 3)], 16
    for filters in (16, 32, 64):
        for _ in range(3):
            stride = 1 if filters == channels else 2
            shortcut = nn.Identity() if stride == 1 else conv(channels, filters, 1, 2, False, False)
            parts.append(Block(nn.Sequential(conv(channels, filters, 3, stride),
                                             conv(filters, filters, 3, relu=False)), shortcut))
            channels = filters
    return nn.Sequential(*parts, nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10))


def resnet50():
    parts, channels = [conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for stack, blocks in enumerate((3, 4, 6, 3)):
        for i in range(blocks):
            filters, stride = 64 << stack, 2 if stack and not i else 1
            shortcut = nn.Identity() if i else conv(channels, 4 * filters, 1, stride, relu=False)
            parts.append(Block(nn.Sequential(conv(channels, filters, 1, stride),
                                             conv(filters, filters, 3),
                                             conv(filters, 4 * filters, 1, relu=False)), shortcut))
            channels = 4 * filters
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


def changed(x):
    """u8 [n, 32, 32, 3] to f32, channels last: -1 .. 1, mirrored and shifted."""
    n = len(x)
    x = F.pad(x.float() / 127.5 - 1, (0, 0, 4, 4, 4, 4))
    rows = torch.arange(32) + torch.randint(9, (n, 1))
    columns = torch.arange(32) + torch.randint(9, (n, 1))
    columns = torch.where(torch.rand(n, 1) < 0.5, columns, columns.flip(1))
    x = x[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return x.permute(0, 3, 1, 2)


def trainer(model, rate, decay):
    model = model.to(memory_format=torch.channels_last)
    run = torch.compile(model) if "compiled" in sys.argv else model
    optimizer = torch.optim.SGD(model.parameters(), rate, 0.9, weight_decay=decay, nesterov=True,
                                fused=True)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(run(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def small_pictures(folder, model):
    x = torch.from_numpy(np.load(folder / "cifar.x.npy"))
    y = torch.from_numpy(np.load(folder / "cifar.y.npy").astype("int64"))
    step, times = trainer(model, 0.05, 1e-4), []
    for _ in range(EPOCHS):
        began = time.perf_counter()
        losses = [step(changed(x[b]), y[b]) for b in torch.randperm(len(x)).split(128)]
        times.append((time.perf_counter() - began) * 128 / len(x))
    return times[1:], 128, sum(losses) / len(losses)


def large_pictures(model):
    x = torch.rand(16, 3, 224, 224).contiguous(memory_format=torch.channels_last) - 0.5
    y = torch.arange(16) * 61 % 1000
    step, times = trainer(model, 0.01, 0), []
    for _ in range(2 + STEPS):
        began = time.perf_counter()
        loss = step(x, y)
        times.append(time.perf_counter() - began)
    return times[2:], 16, loss


network = sys.argv[1]
model = {"resnet20": resnet20, "resnet50": resnet50}[network]()
times, batch, loss = (small_pictures(pathlib.Path(sys.argv[2]), model) if network == "resnet20"
                      else large_pictures(model))
times.sort()
mnist_data.report(name="torch" + "-compiled" * ("compiled" in sys.argv), network=network,
                  median=times[len(times) // 2], best=times[0], batch=batch,
                  parameters=sum(p.numel() for p in model.parameters()), loss=loss)
