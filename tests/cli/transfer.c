/* SPDX-License-Identifier: MIT
 *
 * transfer.c - nacre train PHOTOS --from MODEL, without and with --fine-tune, while its n-th
 * allocation fails: it ends with the code for that, or well, and leaves nothing behind, in memory
 * or beside its output.  It runs inside of this program, where allocations can be counted.
 */
#include <fcntl.h>

int command_main(int argc, char **argv);
#define main command_main
#include "../../cli/main.c"
#undef main

#include "../../cli/photos.h"
#include "../data/image_help.h"
#include "../train/sweep.h"

static char folder[] = "/tmp/nacre-test-transfer-XXXXXX", *base, *output;
static int64_t more; /* epochs of --fine-tune */

/* A network for pictures of 3 x 5 that has not learned anything. */
static bool write_base(void)
{
	nacre_model *m = nacre_sequential("small");
	nacre_add(m, nacre_input(3, 5, 3));
	nacre_add(m, nacre_rescaling(1.0 / 255));
	nacre_add(m, nacre_conv2d(2, {2}, .activation = nacre_relu));
	nacre_add(m, nacre_global_average_pooling2d());
	nacre_add(m, nacre_dense(4, .activation = nacre_softmax));
	bool ok = !nacre_save(m, base);
	nacre_model_free(m);
	return ok;
}

static nacre_status live(nacre_runtime *rt)
{
	const photos_options o = {.model = "mlp",
				  .from = base,
				  .output = output,
				  .hidden = "auto",
				  .epochs = 1,
				  .fine_tune = more,
				  .batch = 16,
				  .patience = 1,
				  .validation = 0.3,
				  .rate = 0.01,
				  .dropout = 0.2};
	const common_options common = {.quiet = 1};
	(void)rt;
	return (nacre_status)photos_train(image_folder, &o, &common);
}

/* What was written is whole, or it is not there; nothing else is. */
static void look(nacre_runtime *rt, long n)
{
	nacre_error e = {0};
	nacre_load_options o = {.no_compile = 1};
	nacre_model *m = access(output, F_OK) ? NULL : nacre_load_with(rt, output, o, &e);
	if (e.status)
		test_failed(__FILE__, __LINE__, "allocation %ld: %s", n, e.text);
	nacre_model_free(m);
	remove(output);
	CHECK(!rmdir(folder) && !mkdir(folder, 0777));
}

/* Errors are printed: not here. */
static void sweep_command(bool for_ever)
{
	fflush(stderr);
	int kept = dup(2), nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	CHECK(kept >= 0 && nothing >= 0 && dup2(nothing, 2) >= 0);
	sweep_allocations(
	    &(sweep){.live = live, .for_ever = for_ever, .least = more ? 400 : 250, .after = look});
	CHECK(dup2(kept, 2) == 2);
	close(nothing);
	close(kept);
}

static void every_way(int64_t epochs)
{
	memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
	CHECK(mkdtemp(folder) != NULL);
	base = format_text("%s-base.keras", folder);
	output = format_text("%s/out.keras", folder);
	more = epochs;
	command_name = "train";
	image_make(2, 5);
	nacre_runtime_set_threads(nacre_runtime_default(), 1);
	CHECK(write_base());
	CHECK_EQ(live(NULL), NACRE_OK);
	CHECK(!remove(output));
	for (int for_ever = 0; for_ever < 2; for_ever++)
		sweep_command(for_ever);
	remove(base);
	free(base);
	free(output);
	test_remove_folder(image_folder);
	test_remove_folder(folder);
}

TEST(from)
{
	every_way(0);
}

TEST(fine_tune)
{
	every_way(1);
}
