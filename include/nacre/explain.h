/* SPDX-License-Identifier: MIT
 *
 * nacre/explain.h - what a prediction depends on: saliency, drawn over the picture.
 *
 *     nacre_dataset *d = nacre_dataset_from_tensors(NULL, pictures, NULL);     // [n, h, w, c]
 *     nacre_tensor *map = nacre_saliency(m, d, .method = NACRE_GRAD_CAM);      // [n, h, w]
 *     nacre_tensor *first = nacre_tensor_slice(map, 0, 0, 1, 1, &e);
 *     nacre_tensor *drawing = nacre_heat_map(first, picture, NULL, &e);        // u8 [h, w, 3]
 *     nacre_image_save(drawing, "why.png", NULL, &e);
 *
 * The network is taken as it predicts: dropout drops nothing, batch normalization uses its moving
 * mean, augmentation does nothing.  S(x) is the score of one class, the target.  Where the model
 * ends with softmax or sigmoid, S is what goes into that, as in the papers: a probability can also
 * be raised by making the other classes worse (Simonyan, section 2).  Else S is the output.  Where
 * an output has scores for many places, [n, places ..., classes], S is their sum.
 *
 *   GRADIENT     dS/dx                      Simonyan, Vedaldi, Zisserman 2013, arXiv:1312.6034
 *   SMOOTH_GRAD  the mean of dS/dx at x + noise, normal, of deviation noise * (max x - min x), over
 *                samples                    Smilkov et al. 2017, arXiv:1706.03825
 *   INTEGRATED_GRADIENTS
 *                (x - b) * the mean of dS/dx at b + a (x - b), a from 0 to 1 in steps, taken in the
 *                middle of each.  Complete: summed over x it is S(x) - S(b), but for the error of
 *                the steps, which should be looked at (.completeness): if it is large, more steps
 *                                           Sundararajan, Taly, Yan 2017, arXiv:1703.01365
 *   GRAD_CAM     relu(sum over k of w_k A_k), where A is what a layer gives, [h, w, channels], and
 *                w_k the mean of dS/dA_k over h and w: where the layer saw what speaks for the
 *                class                      Selvaraju et al. 2017, arXiv:1610.02391
 *
 * The first three tell of each number of x; the last of regions, as coarse as the layer.  All of
 * them tell what S would do if x changed a little, or came from the baseline; none of them that the
 * network is right, or would do the same elsewhere.
 *
 * Equal seeds give equal bits, on any number of threads.
 */
#ifndef NACRE_EXPLAIN_H
#define NACRE_EXPLAIN_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* X(NAME, name) */
#define NACRE_SALIENCY_LIST(X)                                                                     \
	X(GRADIENT, gradient)                                                                      \
	X(SMOOTH_GRAD, smooth_grad)                                                                \
	X(INTEGRATED_GRADIENTS, integrated_gradients)                                              \
	X(GRAD_CAM, grad_cam)

typedef enum nacre_saliency_method { /* the gradient is 0: the default */
#define X(NAME, name) NACRE_##NAME,
	NACRE_SALIENCY_LIST(X)
#undef X
	NACRE_SALIENCY_METHODS
} nacre_saliency_method;

/* "smooth_grad"; NULL for a value that is none */
const char *nacre_saliency_name(nacre_saliency_method method);

typedef struct nacre_saliency_options {
	nacre_dataset *data; /* inputs alone count; it may have no map (nacre_dataset_map()) */
	nacre_saliency_method method;
	int target;         /* NACRE_CLASS(i); 0: of each sample the class that is predicted */
	int output;         /* of the model, where it has several */
	int64_t batch_size; /* as in nacre_predict_options */
	/* GRAD_CAM: the layer, by its last call; one of a model inside also as "model/layer".
	 * NULL: the last before the score that gives [height, width, channels] of more than one
	 * place. */
	const char *layer;
	int64_t samples; /* SMOOTH_GRAD; 0: 50 */
	double noise;    /* SMOOTH_GRAD; 0: 0.15 */
	uint64_t seed;   /* SMOOTH_GRAD: of the noise, which depends on the place in a batch too */
	int64_t steps;   /* INTEGRATED_GRADIENTS; 0: 50 */
	/* INTEGRATED_GRADIENTS: what stands for nothing to be seen.  Of input i, a sample of the
	 * data as it is fed, or one number for all of it; NULL: 0. */
	const nacre_tensor *baseline[NACRE_MAX_PORTS];
	/* INTEGRATED_GRADIENTS: if not NULL, becomes f32 [n, 2], which the caller frees: the sum of
	 * the attributions of a sample, over all inputs, and S(x) - S(b), which it should be.  NULL
	 * after an error. */
	nacre_tensor **completeness;
} nacre_saliency_options;

/* The saliency of the model's first input, for all samples; the caller frees it.  NULL after an
 * error, which is the model's.
 *   of pictures [n, h, w, c]   [n, h, w]: over the channels, of gradients the largest |value|, of
 *                              integrated ones the sum, which may be negative (against the class)
 *   of other inputs            the same of each number, in the input's shape
 *   GRAD_CAM                   [n, h, w], the layer's map brought to the size of the input
 *                              (bilinear) if that is [n, h, w, c] or [n, h, w]; never negative */
nacre_tensor *nacre_saliency_with(nacre_model *model, nacre_saliency_options options);

/* What that is made of: the gradients themselves (or SmoothGrad's, or the attributions of
 * integrated gradients) by every input of the model, signed, in the inputs' shapes [n, ...].
 * `gradient` has room for as many as there are inputs; the caller frees each.  NULL for inputs of
 * whole numbers, which have none, and for all after an error. */
nacre_status nacre_input_gradients_with(nacre_model *model, nacre_tensor **gradient,
					nacre_saliency_options options);
#ifndef __cplusplus
#define nacre_saliency(model, ...)                                                                 \
	nacre_saliency_with((model), (nacre_saliency_options){.data = __VA_ARGS__})
#define nacre_input_gradients(model, gradient, ...)                                                \
	nacre_input_gradients_with((model), (gradient),                                            \
				   (nacre_saliency_options){.data = __VA_ARGS__})
#endif

/* -- to look at -----------------------------------------------------------------------------------
 * A map in colours, from black over purple, red and orange to pale yellow (inferno, by Smith, van
 * der Walt and Firing), laid over the picture, of which only the brightness is left.  What is not
 * positive, or NaN, is black. */
typedef struct nacre_heat_options {
	double opacity; /* of the colours, up to 1; 0: 0.7 */
	double highest; /* what is brightest; 0: the value that 99 % of the map do not exceed */
} nacre_heat_options;
/* map: [h, w] of floats, or [1, h, w], a slice of what nacre_saliency() gave; it is brought to the
 * size of the picture.  picture: [h, w] or [h, w, 1 to 4], u8 or floats 0 .. 255, of which alpha is
 * left out; NULL: the colours alone.  options may be NULL.  u8 [h, w, 3], for nacre_image_save();
 * NULL on failure. */
nacre_tensor *nacre_heat_map(const nacre_tensor *map, const nacre_tensor *picture,
			     const nacre_heat_options *options, nacre_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
