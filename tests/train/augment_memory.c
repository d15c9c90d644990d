/* SPDX-License-Identifier: MIT
 *
 * augment_memory.c - the n-th allocation fails, for every n, while images are augmented in a model
 * and by a map before the data: an error or none, and nothing left behind.
 */
#include <nacre.h>

#include "sweep.h"

static nacre_tensor *x, *y;

static nacre_model *make_map(nacre_runtime *rt)
{
	nacre_model *map = nacre_functional_in(rt, "map");
	if (!map)
		return NULL;
	nacre_value *in[] = {nacre_model_input(map, nacre_input(4, 5, 3)),
			     nacre_model_input(map, nacre_input(2))};
	in[0] = nacre_apply(nacre_rand_augment(.num_ops = 1), in[0]);
	in[0] = nacre_apply(nacre_random_saturation(0.3), in[0]);
	in[0] = nacre_apply(nacre_random_hue(0.3), in[0]);
	in[0] = nacre_apply(nacre_random_gaussian_blur(), in[0]);
	in[0] = nacre_apply(nacre_random_erasing(.fill_value = {1, (double[]){7}}), in[0]);
	nacre_value *mixed = nacre_apply_n(nacre_cut_mix(), 2, in);
	nacre_model_output(map, mixed);
	nacre_model_output(map, nacre_value_output(mixed, 1));
	return map;
}

static nacre_status live(nacre_runtime *rt)
{
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, y);
	nacre_model *map = make_map(rt);
	nacre_model *m = d && map ? nacre_sequential_in(rt, "m") : NULL;
	nacre_status status = NACRE_NO_MEMORY;
	if (m) {
		nacre_add(m, nacre_input(4, 5, 3));
		nacre_add(m, nacre_random_zoom(0.3));
		nacre_add(m, nacre_random_crop(3, 3));
		nacre_add(m, nacre_resizing(5, 6, .antialias = 1));
		nacre_add(m, nacre_flatten());
		nacre_add(m, nacre_dense(2, nacre_softmax));
		nacre_compile(m, .loss = nacre_categorical_crossentropy);
		status = nacre_dataset_map(d, map);
		if (!status)
			status = nacre_fit(m, d, .verbose = NACRE_SILENT);
		status = status ? status : nacre_model_error(m)->status;
	}
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_model_free(map);
	return status;
}

TEST(fails_once)
{
	x = nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){3, 4, 5, 3}, NULL);
	y = nacre_tensor_new(NULL, NACRE_U8, 1, (int64_t[]){3}, NULL);
	every_allocation(live, false, 100);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
}
