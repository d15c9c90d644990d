/* SPDX-License-Identifier: MIT
 *
 * nacre/applications.h - networks for images, ready made: layers, names and order of weights as in
 * Keras, so that Keras's files of weights fit.
 *
 *     nacre_model *m = nacre_mobilenet(.alpha = 0.25, .weights = "mobilenet.weights.h5");
 *     nacre_model *small = nacre_resnet20();
 *
 * Each is a functional model of one input [None, height, width, 3] with weights drawn at random
 * unless a file is given; it is NULL only without memory, else its error tells (nacre_report()).
 * Input sizes must be such that something is left after the last stride: 32 is enough.
 *
 *                     input          what the weights of ImageNet expect of a picture of 0 .. 255
 *   lenet5            28, 28, 1      (not of Keras: tanh, average pooling, 10 classes; x / 255)
 *   resnet20          32, 32, 3      (of Keras's example for CIFAR-10: 10 classes; x / 255)
 *   resnet50          224, 224, 3    blue, green, red less 103.939, 116.779, 123.68
 *   vgg16, vgg19      224, 224, 3    the same
 *   mobilenet         224, 224, 3    x / 127.5 - 1
 *   mobilenet_v2      224, 224, 3    x / 127.5 - 1
 *   efficientnet_b0   224, 224, 3    x: the network divides itself; as keras.applications builds it
 *                                    without weights, which has no second rescaling
 *
 * To put another top on one see nacre_cut() in nacre/model.h.
 */
#ifndef NACRE_APPLICATIONS_H
#define NACRE_APPLICATIONS_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef enum nacre_top_pooling {                 /* where there is no top */
				 NACRE_TOP_NONE, /* the output is [None, height, width, channels] */
				 NACRE_TOP_AVERAGE, /* [None, channels]: global average pooling */
				 NACRE_TOP_MAX
} nacre_top_pooling;

typedef struct nacre_application_options {
	int reserved;           /* 0 */
	int no_top;             /* 1: without what comes after the last convolution */
	int64_t input_shape[3]; /* height, width, channels; zeros: as above */
	int pooling;            /* nacre_top_pooling; with no_top */
	int64_t classes;        /* 1000; lenet5, resnet20: 10 */
	nacre_activation_function *classifier_activation; /* softmax */
	double alpha;             /* mobilenets: 1; the filters of every layer times this */
	int64_t depth_multiplier; /* mobilenet: 1 */
	double dropout;           /* before the classes: mobilenet 0.001, efficientnet 0.2 */
	const char *weights;      /* a file for nacre_load_weights() */
	const char *name;         /* as Keras: "resnet50", "mobilenet_0.25_224" */
	nacre_runtime *runtime;   /* the default one */
} nacre_application_options;

nacre_model *nacre_lenet5_new(nacre_application_options options);
nacre_model *nacre_resnet20_new(nacre_application_options options);
nacre_model *nacre_resnet50_new(nacre_application_options options);
nacre_model *nacre_vgg16_new(nacre_application_options options);
nacre_model *nacre_vgg19_new(nacre_application_options options);
nacre_model *nacre_mobilenet_new(nacre_application_options options);
nacre_model *nacre_mobilenet_v2_new(nacre_application_options options);
nacre_model *nacre_efficientnet_b0_new(nacre_application_options options);

#ifndef __cplusplus
#define NACRE_APPLICATION_(new, ...) new ((nacre_application_options){.reserved = 0, __VA_ARGS__})
#define nacre_lenet5(...) NACRE_APPLICATION_(nacre_lenet5_new, __VA_ARGS__)
#define nacre_resnet20(...) NACRE_APPLICATION_(nacre_resnet20_new, __VA_ARGS__)
#define nacre_resnet50(...) NACRE_APPLICATION_(nacre_resnet50_new, __VA_ARGS__)
#define nacre_vgg16(...) NACRE_APPLICATION_(nacre_vgg16_new, __VA_ARGS__)
#define nacre_vgg19(...) NACRE_APPLICATION_(nacre_vgg19_new, __VA_ARGS__)
#define nacre_mobilenet(...) NACRE_APPLICATION_(nacre_mobilenet_new, __VA_ARGS__)
#define nacre_mobilenet_v2(...) NACRE_APPLICATION_(nacre_mobilenet_v2_new, __VA_ARGS__)
#define nacre_efficientnet_b0(...) NACRE_APPLICATION_(nacre_efficientnet_b0_new, __VA_ARGS__)
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
