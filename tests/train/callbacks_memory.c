/* SPDX-License-Identifier: MIT
 *
 * callbacks_memory.c - the n-th allocation of a training with all callbacks fails, once or from
 * then on: it ends with an error or well, and leaves nothing behind but sound files.
 */
#include <unistd.h>

#include "help.h"
#include "sweep.h"

static char folder[100];

static double same(void *context, int epoch, double rate)
{
	(void)context, (void)epoch;
	return rate;
}

static nacre_status train(nacre_runtime *rt, int epochs)
{
	char saved[200], backup[200], csv[200], board[200];
	snprintf(saved, sizeof saved, "%s/{epoch}-{loss:.1f}.safetensors", folder);
	snprintf(backup, sizeof backup, "%s/backup", folder);
	snprintf(csv, sizeof csv, "%s/log.csv", folder);
	snprintf(board, sizeof board, "%s/board", folder);
	nacre_dataset *d = sums(rt, 12, 3);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_status status = NACRE_NO_MEMORY;
	if (m && nacre_dataset_size(d) && nacre_dataset_targets(d)) {
		nacre_add(m, nacre_input(3));
		nacre_add(m, nacre_dense(1));
		nacre_compile(m, .loss = nacre_mse, .metrics = {nacre_mae});
		nacre_fit(m, d, .epochs = epochs, .batch_size = 6, .validation_data = d,
			  .callbacks = {
			      nacre_early_stopping(.restore_best_weights = 1, .patience = 5),
			      nacre_reduce_lr_on_plateau(), nacre_learning_rate_scheduler(same),
			      nacre_model_checkpoint(saved, .save_best_only = 1),
			      nacre_backup_and_restore(backup, .save_freq = 1, .keep_at_end = 1),
			      nacre_csv_logger(csv, .append = 1),
			      nacre_tensorboard(board, .histogram_freq = 1, .update_freq = 1)});
		status = nacre_model_error(m)->status;
	}
	nacre_model_free(m);
	nacre_dataset_free(d);
	return status;
}

/* There is something to resume from. */
static void begin(nacre_runtime *rt, long n)
{
	(void)n;
	if (access(folder, F_OK) == 0)
		test_remove_folder(folder);
	CHECK_EQ(train(rt, 1), NACRE_OK);
}

static nacre_status resume(nacre_runtime *rt)
{
	return train(rt, 2);
}

/* What is there is sound. */
static void go_on(nacre_runtime *rt, long n)
{
	if (n % 16 == 0)
		CHECK_EQ(train(rt, 2), NACRE_OK);
}

static void fails(bool for_ever)
{
	snprintf(folder, sizeof folder, "%s/nacre-callbacks-memory-%d",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
	sweep_allocations(&(sweep){.live = resume,
				   .for_ever = for_ever,
				   .least = 300,
				   .before = begin,
				   .after = go_on});
	CHECK_EQ(state.blocks, 0);
	test_remove_folder(folder);
}

TEST(fails_once)
{
	fails(false);
}

TEST(fails_for_ever)
{
	fails(true);
}
