/* SPDX-License-Identifier: MIT
 *
 * nacre/augment.h - images changed at random while a model is trained, and the ops beneath.
 *
 *     nacre_add(m, nacre_input(32, 32, 3));
 *     nacre_add(m, nacre_random_flip(NACRE_FLIP_HORIZONTAL));
 *     nacre_add(m, nacre_random_rotation(0.05));
 *     nacre_add(m, nacre_random_erasing(.factor = 0.5, .fill_value = {1, (double[]){0}}));
 *
 * The layers are those of Keras 3, with its names, options, defaults and formulas, and images are
 * [n, height, width, channels].  In training each draws its numbers anew in every step, for every
 * image, keyed by the seed of the model, the step and the place of the layer: the same seed gives
 * the same pictures, on any number of threads.  Outside of training they pass images through.
 *
 * A factor is a number f, which stands for the range -f .. f (where the factor cannot be negative:
 * 0 .. f), or a range of its own:
 *
 *     nacre_random_brightness(0.2)                             -0.2 .. 0.2
 *     nacre_random_brightness(-0.1, .factor_high = 0.3)        -0.1 .. 0.3
 *
 * The end of a range that is 0 is written NACRE_ZERO.  value_range, which layers of colours have,
 * is where the values of the images lie: 0 .. 255, unless it is given.
 */
#ifndef NACRE_AUGMENT_H
#define NACRE_AUGMENT_H

#include "layers_more.h"
#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* -- what lies outside of an image ------------------------------------------------------------- */
typedef enum nacre_fill_mode {
	NACRE_FILL_DEFAULT,  /* layers: reflect; the op: constant */
	NACRE_FILL_REFLECT,  /* (d c b a | a b c d | d c b a) */
	NACRE_FILL_WRAP,     /* (a b c d | a b c d | a b c d) */
	NACRE_FILL_CONSTANT, /* (k k k k | a b c d | k k k k), k: fill_value */
	NACRE_FILL_NEAREST,  /* (a a a a | a b c d | d d d d) */
	NACRE_FILL_MIRROR    /* (d c b | a b c d | c b a); of the op alone */
} nacre_fill_mode;

/* -- ops: on images [n, h, w, c] of f32 or f64 ------------------------------------------------ */
/* y at (x, y) is x at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k), k = c0 x + c1 y + 1, with
 * transform: [n, 8] = a0 a1 a2 b0 b1 b2 c0 c1, a map for each image.  Bilinear weighs the four
 * neighbours of that place; nearest rounds, halves away from zero.  The gradient goes to x, not to
 * the transform.  Heights and widths up to 32768. */
typedef struct nacre_affine_options {
	int64_t height, width; /* of y; 0: as x */
	int interpolation;     /* nacre_interpolation: bilinear (default), nearest */
	int fill_mode;         /* nacre_fill_mode: constant */
	double fill_value;     /* 0 */
} nacre_affine_options;
nacre_node *nacre_affine_transform(nacre_node *x, nacre_node *transform,
				   nacre_affine_options options);

/* x with another number of places along an axis; see nacre_resizing() for the formula */
nacre_node *nacre_resize_axis(nacre_node *x, int axis, int64_t size, nacre_interpolation how,
			      bool antialias);
nacre_node *nacre_resize_image(nacre_node *x, int64_t height, int64_t width,
			       nacre_interpolation how, bool antialias);

/* -- changes of place -----------------------------------------------------------------------------
 * All but flips and crops read x through a map, bilinear or nearest (nacre_interpolation), and fill
 * what lies outside of it as fill_mode says (NACRE_FILL_REFLECT), with fill_value where that is
 * constant.
 *
 * random_flip         with probability 1/2, upside down, left to right, or both
 * random_rotation     by an angle of factor times a whole turn, around the middle
 * random_translation  down by height_factor of the height, to the right by width_factor
 * random_zoom         out (positive) or in by height_factor and width_factor; without a
 *                     width_factor, by the same in both directions
 * random_shear        x + x_factor y, y + y_factor x, with one random sign for both
 * random_crop         a window of height x width, the same for all images of a batch.  Outside of
 *                     training, or where an image is smaller: the largest window of that aspect in
 *                     the middle, resized */
typedef enum nacre_flip_mode {
	NACRE_FLIP_HORIZONTAL_AND_VERTICAL,
	NACRE_FLIP_HORIZONTAL,
	NACRE_FLIP_VERTICAL
} nacre_flip_mode;
typedef struct nacre_random_flip_options {
	int mode; /* nacre_flip_mode */
	const char *name;
} nacre_random_flip_options;
nacre_layer *nacre_random_flip_new(nacre_random_flip_options options);

typedef struct nacre_random_rotation_options {
	double factor, factor_high; /* -1 .. 1 */
	int fill_mode, interpolation;
	double fill_value;
	const char *name;
} nacre_random_rotation_options;
nacre_layer *nacre_random_rotation_new(nacre_random_rotation_options options);

typedef struct nacre_random_translation_options {
	double height_factor, width_factor; /* -1 .. 1 */
	double height_factor_high, width_factor_high;
	int fill_mode, interpolation;
	double fill_value;
	const char *name;
} nacre_random_translation_options;
nacre_layer *nacre_random_translation_new(nacre_random_translation_options options);

typedef struct nacre_random_zoom_options {
	double height_factor, width_factor; /* -1 < f <= 1; width_factor 0: none */
	double height_factor_high, width_factor_high;
	int fill_mode, interpolation;
	double fill_value;
	const char *name;
} nacre_random_zoom_options;
nacre_layer *nacre_random_zoom_new(nacre_random_zoom_options options);

typedef struct nacre_random_shear_options {
	double x_factor, y_factor; /* 0 .. 1 */
	double x_factor_high, y_factor_high;
	int fill_mode, interpolation;
	double fill_value;
	const char *name;
} nacre_random_shear_options;
nacre_layer *nacre_random_shear_new(nacre_random_shear_options options);

typedef struct nacre_random_crop_options {
	int64_t height, width;
	const char *name;
} nacre_random_crop_options;
nacre_layer *nacre_random_crop_new(nacre_random_crop_options options);

/* -- changes of colour ----------------------------------------------------------------------------
 * with a random number f of factor for each image, m the mean of each channel of an image, g its
 * grey 0.2989 r + 0.587 g + 0.114 b (of three channels; one is grey already):
 *
 * random_brightness          x + f (high - low) of value_range
 * random_contrast            (x - m) f + m, f in 1 - low .. 1 + high of factor (0 .. 1): a single
 *                            number only raises it, as Keras has it
 * random_saturation          the saturation (of hue, saturation, value) times f / (1 - f); 0.5
 *                            changes nothing, less is paler
 * random_hue                 the hue turned by f / 2 of the circle, either way
 * random_color_jitter        brightness, contrast, saturation, hue, those that are given
 * random_color_degeneration  x + f (g - x)
 * random_grayscale           g, with probability factor (0.5)
 * random_sharpness           x + (1 - 2 f) (s - x), s: smoothed by [1 1 1, 1 5 1, 1 1 1] / 13
 * random_posterization       the first 1 .. factor of 8 bits; the last number of the range is left
 *                            out, as Keras does
 * random_invert              the end of value_range - x, with a probability out of factor (1)
 * random_gaussian_blur       by a kernel of kernel_size (odd; width, height), of deviations out of
 *                            sigma that a batch shares, with a probability out of factor
 * solarization               v = x + addition, then v if it is below a threshold, else 255 - v;
 *                            both are factors of 255
 * auto_contrast              stretched to all of value_range; outside of training too, as in Keras
 * equalization               by the histogram of a channel over the whole batch */
typedef struct nacre_random_color_options { /* of those that have only these */
	double factor, factor_high;
	double value_range[2]; /* {0, 255} */
	const char *name;
} nacre_random_color_options;
nacre_layer *nacre_random_brightness_new(nacre_random_color_options options);
nacre_layer *nacre_random_contrast_new(nacre_random_color_options options);
nacre_layer *nacre_random_saturation_new(nacre_random_color_options options);
nacre_layer *nacre_random_hue_new(nacre_random_color_options options);
nacre_layer *nacre_random_color_degeneration_new(nacre_random_color_options options);
nacre_layer *nacre_random_sharpness_new(nacre_random_color_options options);
nacre_layer *nacre_random_posterization_new(nacre_random_color_options options);
nacre_layer *nacre_random_invert_new(nacre_random_color_options options);

typedef struct nacre_random_color_jitter_options {
	double value_range[2];
	double brightness_factor, contrast_factor, saturation_factor, hue_factor; /* 0: none */
	double brightness_factor_high, contrast_factor_high;
	double saturation_factor_high, hue_factor_high;
	const char *name;
} nacre_random_color_jitter_options;
nacre_layer *nacre_random_color_jitter_new(nacre_random_color_jitter_options options);

typedef struct nacre_random_grayscale_options {
	double factor;
	const char *name;
} nacre_random_grayscale_options;
nacre_layer *nacre_random_grayscale_new(nacre_random_grayscale_options options);

typedef struct nacre_random_gaussian_blur_options {
	double factor, factor_high;           /* 1: 0 .. 1 */
	int64_t kernel_size[NACRE_MAX_RANK]; /* {3} */
	double sigma, sigma_high;             /* 1: 0 .. 1 */
	double value_range[2];
	const char *name;
} nacre_random_gaussian_blur_options;
nacre_layer *nacre_random_gaussian_blur_new(nacre_random_gaussian_blur_options options);

typedef struct nacre_solarization_options {
	double addition_factor, threshold_factor; /* 0 .. 1 */
	double addition_factor_high, threshold_factor_high;
	double value_range[2];
	const char *name;
} nacre_solarization_options;
nacre_layer *nacre_solarization_new(nacre_solarization_options options);

typedef struct nacre_auto_contrast_options {
	double value_range[2];
	const char *name;
} nacre_auto_contrast_options;
nacre_layer *nacre_auto_contrast_new(nacre_auto_contrast_options options);

typedef struct nacre_equalization_options {
	double value_range[2];
	int64_t bins; /* 256 */
	const char *name;
} nacre_equalization_options;
nacre_layer *nacre_equalization_new(nacre_equalization_options options);

/* -- pieces taken out, and mixtures ---------------------------------------------------------------
 * random_erasing  a rectangle whose sides are the square roots of two parts out of scale, filled
 *                 with fill_value (one number, or one for each channel; none: noise that the batch
 *                 shares), with a probability out of factor
 * mix_up          w x + (1 - w) x', x' another image of the batch, w of the distribution
 *                 Beta(alpha, alpha)
 * cut_mix         a rectangle of another image of the batch put in, of 1 - w of the area, w of
 *                 Beta(a, a), a out of factor
 *
 * The last two take the labels as a second input, [n, classes], and give them mixed as a second
 * output; a model of images and labels is what nacre_dataset_map() takes, see docs/augmentation.md.
 *
 *     nacre_value *in[] = {images, labels}, *out[2];
 *     out[0] = nacre_apply_n(nacre_mix_up(0.2), 2, in);
 *     out[1] = nacre_value_output(out[0], 1);
 *
 * rand_augment    num_ops (2) times one of: shear, translation, rotation, brightness, color
 *                 degeneration, contrast, sharpness, posterization, solarization, auto contrast,
 *                 equalization, each by factor; the choice is that of the batch, the numbers are
 *                 those of each image */
typedef struct nacre_random_erasing_options {
	double factor, factor_high; /* 1: 0 .. 1 */
	double scale[2];            /* {0.02, 0.33} */
	nacre_numbers fill_value;   /* none */
	double value_range[2];
	const char *name;
} nacre_random_erasing_options;
nacre_layer *nacre_random_erasing_new(nacre_random_erasing_options options);

typedef struct nacre_mix_up_options {
	double alpha; /* 0.2 */
	const char *name;
} nacre_mix_up_options;
nacre_layer *nacre_mix_up_new(nacre_mix_up_options options);

typedef struct nacre_cut_mix_options {
	double factor, factor_high; /* 1: 0 .. 1 */
	const char *name;
} nacre_cut_mix_options;
nacre_layer *nacre_cut_mix_new(nacre_cut_mix_options options);

typedef struct nacre_rand_augment_options {
	int64_t num_ops;            /* 2 */
	double factor, factor_high; /* 0.5 */
	int interpolation;          /* bilinear */
	double value_range[2];
	const char *name;
} nacre_rand_augment_options;
nacre_layer *nacre_rand_augment_new(nacre_rand_augment_options options);

#ifndef __cplusplus
#define nacre_random_flip(...)                                                                     \
	nacre_random_flip_new((nacre_random_flip_options){.mode = __VA_ARGS__})
#define nacre_random_rotation(...)                                                                 \
	nacre_random_rotation_new((nacre_random_rotation_options){.factor = __VA_ARGS__})
#define nacre_random_translation(...)                                                              \
	nacre_random_translation_new(                                                              \
		(nacre_random_translation_options){.height_factor = __VA_ARGS__})
#define nacre_random_zoom(...)                                                                     \
	nacre_random_zoom_new((nacre_random_zoom_options){.height_factor = __VA_ARGS__})
#define nacre_random_shear(...)                                                                    \
	nacre_random_shear_new((nacre_random_shear_options){.x_factor = __VA_ARGS__})
#define nacre_random_crop(...)                                                                     \
	nacre_random_crop_new((nacre_random_crop_options){.height = __VA_ARGS__})
#define nacre_random_brightness(...)                                                               \
	nacre_random_brightness_new((nacre_random_color_options){.factor = __VA_ARGS__})
#define nacre_random_contrast(...)                                                                 \
	nacre_random_contrast_new((nacre_random_color_options){.factor = __VA_ARGS__})
#define nacre_random_saturation(...)                                                               \
	nacre_random_saturation_new((nacre_random_color_options){.factor = __VA_ARGS__})
#define nacre_random_hue(...)                                                                      \
	nacre_random_hue_new((nacre_random_color_options){.factor = __VA_ARGS__})
#define nacre_random_color_degeneration(...)                                                       \
	nacre_random_color_degeneration_new((nacre_random_color_options){.factor = __VA_ARGS__})
#define nacre_random_sharpness(...)                                                                \
	nacre_random_sharpness_new((nacre_random_color_options){.factor = __VA_ARGS__})
#define nacre_random_posterization(...)                                                            \
	nacre_random_posterization_new((nacre_random_color_options){.factor = __VA_ARGS__})
#define nacre_random_invert(...)                                                                   \
	nacre_random_invert_new((nacre_random_color_options){.name = NULL, __VA_ARGS__})
#define nacre_random_color_jitter(...)                                                             \
	nacre_random_color_jitter_new(                                                             \
		(nacre_random_color_jitter_options){.name = NULL, __VA_ARGS__})
#define nacre_random_gaussian_blur(...)                                                            \
	nacre_random_gaussian_blur_new(                                                            \
		(nacre_random_gaussian_blur_options){.name = NULL, __VA_ARGS__})
#define nacre_solarization(...)                                                                    \
	nacre_solarization_new((nacre_solarization_options){.name = NULL, __VA_ARGS__})
#define nacre_auto_contrast(...)                                                                   \
	nacre_auto_contrast_new((nacre_auto_contrast_options){.name = NULL, __VA_ARGS__})
#define nacre_equalization(...)                                                                    \
	nacre_equalization_new((nacre_equalization_options){.name = NULL, __VA_ARGS__})
#define nacre_random_erasing(...)                                                                  \
	nacre_random_erasing_new((nacre_random_erasing_options){.name = NULL, __VA_ARGS__})
#define nacre_cut_mix(...)                                                                         \
	nacre_cut_mix_new((nacre_cut_mix_options){.name = NULL, __VA_ARGS__})
#define nacre_rand_augment(...)                                                                    \
	nacre_rand_augment_new((nacre_rand_augment_options){.name = NULL, __VA_ARGS__})
#define nacre_random_grayscale(...)                                                                \
	nacre_random_grayscale_new((nacre_random_grayscale_options){.factor = __VA_ARGS__})
#define nacre_mix_up(...)                                                                          \
	nacre_mix_up_new((nacre_mix_up_options){.alpha = __VA_ARGS__})
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
