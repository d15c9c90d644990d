/* SPDX-License-Identifier: MIT
 *
 * memory.c - the n-th allocation fails, once or from then on, for every n: making, training,
 * evaluating, saving and loading a model end with an error or well, and leave nothing behind.
 */
#include <unistd.h>

#include "help.h"
#include "sweep.h"

static char path[64];

static void compile(nacre_model *m)
{
	nacre_compile(m, .optimizer = nacre_adam(.global_clipnorm = 1), .loss = nacre_mse,
		      .metrics = {nacre_mae});
}

/* Everything a program does, without a check on the way. */
static nacre_status live(nacre_runtime *rt)
{
	nacre_dataset *d = sums(rt, 12, 3);
	if (nacre_dataset_size(d) == 0 || nacre_dataset_targets(d) == 0) { /* it was given NULL */
		nacre_dataset_free(d);
		return NACRE_NO_MEMORY;
	}
	nacre_model *m = nacre_functional_in(rt, "m");
	if (!m) { /* layers would be ours */
		nacre_dataset_free(d);
		return NACRE_NO_MEMORY;
	}
	nacre_value *x = nacre_model_input(m, nacre_input(3));
	nacre_value *y = nacre_apply(
	    nacre_dense(4, .activation = nacre_relu, .kernel_initializer = nacre_orthogonal), x);
	y = nacre_apply(nacre_batch_normalization(), nacre_apply(nacre_dropout(0.2), y));
	nacre_layer *shared = nacre_dense(4);
	y = nacre_apply_n(nacre_add_layer(), 2,
			  (nacre_value *[]){nacre_apply(shared, y), nacre_apply(shared, y)});
	nacre_model_output(m, nacre_apply(nacre_dense(1), y));
	compile(m);
	nacre_fit(m, d, .batch_size = 8, .validation_split = 0.25);
	nacre_evaluate(m, d);
	nacre_tensor_free(nacre_predict(m, d));
	nacre_summary(m);
	nacre_save(m, path);
	nacre_load_weights(m, path);
	nacre_status status = nacre_model_error(m)->status;
	if (status && m && nacre_clear_error(m) == NACRE_OK) { /* it can go on */
		state.left = -1;
		compile(m);
		nacre_dataset *again = sums(rt, 12, 3);
		CHECK_EQ(nacre_fit(m, again), NACRE_OK);
		nacre_dataset_free(again);
	}
	nacre_model_free(m);
	nacre_dataset_free(d);
	return status;
}

TEST(fails_once)
{
	snprintf(path, sizeof path, "/tmp/nacre-memory-%d.safetensors", (int)getpid());
	every_allocation(live, false, 200);
	CHECK_EQ(state.blocks, 0);
	unlink(path);
}

TEST(fails_for_ever)
{
	snprintf(path, sizeof path, "/tmp/nacre-memory-%d.safetensors", (int)getpid());
	every_allocation(live, true, 200);
	CHECK_EQ(state.blocks, 0);
	unlink(path);
}

/* Training takes no memory after its first epoch. */
static int count_calls(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	(void)m, (void)logs;
	nacre_memory *seen = context;
	if (epoch == 1)
		seen[0] = nacre_runtime_memory(NULL);
	seen[1] = nacre_runtime_memory(NULL);
	return 0;
}

TEST(steps_allocate_nothing)
{
	nacre_dataset *d = classes(NULL, 100, 5, 3);
	nacre_model *m = classifier(NULL, 5, 16, 3);
	nacre_memory seen[2];
	nacre_fit(m, d, .epochs = 10, .validation_data = d, .verbose = NACRE_SILENT,
		  .no_shuffle = 1, .callbacks = {{.context = seen, .on_epoch_end = count_calls}});
	CHECK_FINE(m);
	/* an evaluation takes and gives back its batch buffers, once an epoch */
	CHECK(seen[1].calls - seen[0].calls <= 8 * 2);
	CHECK_EQ(seen[1].bytes, seen[0].bytes);
	nacre_model_free(m);
	nacre_dataset_free(d);
}
