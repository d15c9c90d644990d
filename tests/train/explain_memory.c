/* SPDX-License-Identifier: MIT
 *
 * explain_memory.c - the n-th allocation fails, for every n, while saliency is computed and drawn:
 * an error or none, and nothing left behind.
 */
#include "help.h"
#include "sweep.h"

static nacre_tensor *x;
static nacre_saliency_method method;

static nacre_model *model(nacre_runtime *rt)
{
	nacre_model *inner = nacre_sequential_in(rt, "inner");
	nacre_add(inner, nacre_input(5, 4, 1));
	nacre_add(inner, nacre_conv2d(2, {2}, .activation = nacre_relu));
	nacre_model *m = nacre_model_error(inner)->status ? NULL : nacre_sequential_in(rt, "m");
	if (!m) {
		nacre_model_free(inner);
		return NULL;
	}
	nacre_add(m, nacre_input(5, 4, 1));
	nacre_add(m, nacre_nested(inner));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(2, nacre_softmax));
	return m;
}

static nacre_status live(nacre_runtime *rt)
{
	nacre_error e = {0};
	nacre_model *m = model(rt);
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, NULL);
	nacre_tensor *number = nacre_tensor_new(rt, NACRE_F32, 0, NULL, &e);
	if (!m || !d || !number || nacre_dataset_error(d)->status) {
		nacre_tensor_free(number);
		nacre_dataset_free(d);
		nacre_model_free(m);
		return NACRE_NO_MEMORY;
	}
	nacre_tensor *both = NULL;
	bool integrated = method == NACRE_INTEGRATED_GRADIENTS;
	nacre_tensor *map =
	    nacre_saliency(m, d, .method = method, .batch_size = 2, .samples = 2, .steps = 2,
			   .baseline = {number}, .completeness = integrated ? &both : NULL);
	nacre_status status = nacre_model_error(m)->status;
	CHECK_EQ(!map, status != NACRE_OK);
	CHECK_EQ(!both, status != NACRE_OK || !integrated);
	nacre_tensor_free(both);
	nacre_tensor *one = map ? nacre_tensor_slice(map, 0, 1, 2, 1, &e) : NULL;
	nacre_tensor *drawing = one ? nacre_heat_map(one, NULL, NULL, &e) : NULL;
	CHECK_EQ(map && !drawing, e.status != NACRE_OK);
	nacre_tensor_free(drawing);
	nacre_tensor_free(one);
	nacre_tensor_free(map);
	if (!status && method != NACRE_GRAD_CAM) {
		nacre_tensor *g = NULL;
		status =
		    nacre_input_gradients(m, &g, d, .method = method, .samples = 2, .steps = 2);
		CHECK_EQ(!g, status != NACRE_OK);
		nacre_tensor_free(g);
	}
	nacre_tensor_free(number);
	nacre_dataset_free(d);
	nacre_model_free(m);
	return status ? status : e.status;
}

static void all_methods(bool for_ever)
{
	x = nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){3, 5, 4, 1}, NULL);
	for (int64_t i = 0; i < 60; i++)
		nacre_tensor_set(x, i, (double)(i % 7) / 7);
	for (int k = 0; k < NACRE_SALIENCY_METHODS; k++) {
		method = (nacre_saliency_method)k;
		every_allocation(live, for_ever, 100);
	}
	nacre_tensor_free(x);
}

TEST(fails_once)
{
	all_methods(false);
}

TEST(fails_from_then_on)
{
	all_methods(true);
}
