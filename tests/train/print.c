/* SPDX-License-Identifier: MIT
 *
 * print.c - the summary and the progress line, as Keras prints them.
 */
#include "help.h"

static printed out;
#define BAR "━━━━━━━━━━━━━━━━━━━━"

/* Box characters, each as an ASCII one of its own: thick lines = and !, thin ones - and |. */
static const char *plain(char *text)
{
	static const char *const box[] = {"━", "─", "┃", "│", "┏", "┳", "┓", "┡",
					  "╇", "┩", "├", "┼", "┤", "└", "┴", "┘"};
	static const char ascii[] = "=-!|/^\\{#}<+>LvJ";
	char *to = text;
	for (const char *p = text; *p;) {
		size_t i = 0;
		while (i < 16 && strncmp(p, box[i], 3) != 0)
			i++;
		*to++ = i < 16 ? ascii[i] : *p;
		p += i < 16 ? 3 : 1;
	}
	*to = 0;
	return text;
}

TEST(summary_of_a_chain)
{
	out.size = 0;
	nacre_runtime *rt = quiet(&out, 0);
	nacre_model *m = nacre_sequential_in(rt, "mnist");
	nacre_add(m, nacre_input(784));
	nacre_add(m, nacre_dense(512, .activation = nacre_relu));
	nacre_add(m, nacre_batch_normalization(.name = "a_rather_long_name_of_a_layer"));
	nacre_add(m, nacre_dense(10));
	nacre_summary(m);
	CHECK_FINE(m);
	CHECK_STR(plain(out.text),
		  "Model: \"mnist\"\n"
		  "/=================================^========================^===============\\\n"
		  "! Layer (type)                    ! Output Shape           !       Param # !\n"
		  "{=================================#========================#===============}\n"
		  "| dense (Dense)                   | (None, 512)            |       401,920 |\n"
		  "<---------------------------------+------------------------+--------------->\n"
		  "| a_rather_long_name_of_a_layer   | (None, 512)            |         2,048 |\n"
		  "| (BatchNormalization)            |                        |               |\n"
		  "<---------------------------------+------------------------+--------------->\n"
		  "| dense_1 (Dense)                 | (None, 10)             |         5,130 |\n"
		  "L---------------------------------v------------------------v---------------J\n"
		  " Total params: 409,098 (1.56 MB)\n"
		  " Trainable params: 408,074 (1.56 MB)\n"
		  " Non-trainable params: 1,024 (4.00 KB)\n");
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

TEST(summary_of_a_graph)
{
	out.size = 0;
	nacre_runtime *rt = quiet(&out, 0);
	nacre_model *m = nacre_functional_in(rt, "two");
	nacre_value *a =
	    nacre_model_input(m, nacre_input_new((nacre_input_options){.shape = {4}, .name = "a"}));
	nacre_value *b = nacre_apply(nacre_dense(4), a);
	nacre_model_output(m, nacre_apply_n(nacre_add_layer(), 2, (nacre_value *[]){a, b}));
	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_mse);
	nacre_summary(m);
	CHECK_STR(plain(out.text),
		  "Model: \"two\"\n"
		  "/=====================^===================^============^===================\\\n"
		  "! Layer (type)        ! Output Shape      !    Param # ! Connected to      !\n"
		  "{=====================#===================#============#===================}\n"
		  "| a (InputLayer)      | (None, 4)         |          0 | -                 |\n"
		  "<---------------------+-------------------+------------+------------------->\n"
		  "| dense (Dense)       | (None, 4)         |         20 | a[0][0]           |\n"
		  "<---------------------+-------------------+------------+------------------->\n"
		  "| add (Add)           | (None, 4)         |          0 | a[0][0],          |\n"
		  "|                     |                   |            | dense[0][0]       |\n"
		  "L---------------------v-------------------v------------v-------------------J\n"
		  " Total params: 20 (80.00 B)\n"
		  " Trainable params: 20 (80.00 B)\n"
		  " Non-trainable params: 0 (0.00 B)\n");
	/* after training the moments count, the step and the learning rate too */
	nacre_tensor *x = numbers(rt, 8, 4);
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, x);
	nacre_fit(m, d, .verbose = NACRE_SILENT);
	out.size = 0;
	nacre_summary(m);
	CHECK(strstr(out.text,
		     " Total params: 62 (248.00 B)\n Trainable params: 20 (80.00 B)\n"
		     " Non-trainable params: 0 (0.00 B)\n Optimizer params: 42 (168.00 B)\n"));
	CHECK_FINE(m);
	nacre_tensor_free(x);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

/* Digits are not compared: times and losses. */
static void check_lines(const char *want)
{
	const char *p = out.text, *q = want;
	while (*p && *q) {
		if (*q == '#') {
			while ((*p >= '0' && *p <= '9') || *p == '.')
				p++;
			q++;
		} else if (*p++ != *q++)
			break;
	}
	if (*p || *q)
		test_failed(__FILE__, __LINE__, "\"%s\" is not \"%s\": at \"%.30s\"", out.text,
			    want, p);
}

static void train(int verbose, int terminal)
{
	out.size = 0;
	out.text[0] = 0;
	nacre_runtime *rt = quiet(&out, terminal);
	nacre_dataset *d = classes(rt, 64, 4, 3);
	nacre_model *m = classifier(rt, 4, 8, 3);
	nacre_fit(m, d, .epochs = 2, .batch_size = 4, .validation_data = d, .verbose = verbose);
	nacre_evaluate(m, d, .verbose = verbose);
	nacre_tensor_free(nacre_predict(m, d, .verbose = verbose));
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
	/* us, ms or s a step: as it comes */
	for (char *p; (p = strstr(out.text, "us/step")) || (p = strstr(out.text, "ms/step"));)
		memmove(p, p + 1, strlen(p));
}

TEST(lines_without_a_terminal)
{
	train(NACRE_BAR, 0);
	check_lines("Epoch 1/2\n"
		    "16/16 " BAR " #s #s/step - accuracy: # - loss: # - val_accuracy: # - "
		    "val_loss: #\n"
		    "Epoch 2/2\n"
		    "16/16 " BAR " #s #s/step - accuracy: # - loss: # - val_accuracy: # - "
		    "val_loss: #\n"
		    "2/2 " BAR " #s #s/step - accuracy: # - loss: #\n"
		    "2/2 " BAR " #s #s/step\n");
	train(NACRE_LINE, 0);
	check_lines("Epoch 1/2\n"
		    "16/16 - #s - #s/step - accuracy: # - loss: # - val_accuracy: # - val_loss: #\n"
		    "Epoch 2/2\n"
		    "16/16 - #s - #s/step - accuracy: # - loss: # - val_accuracy: # - val_loss: #\n"
		    "2/2 - #s - #s/step - accuracy: # - loss: #\n"
		    "2/2 - #s - #s/step\n");
	train(NACRE_SILENT, 0);
	CHECK_STR(out.text, "");
}

TEST(lines_on_a_terminal)
{
	train(NACRE_BAR, 1);
	CHECK(strncmp(out.text, "Epoch 1/2\n\r", 11) == 0);
	CHECK(strstr(out.text, "\r\033[1m16/16\033[0m \033[32m━"));
	CHECK_EQ(out.text[strlen(out.text) - 1], '\n');
}

/* predict is silent unless asked */
TEST(automatic)
{
	train(NACRE_AUTO, 0);
	CHECK(strstr(out.text, "2/2 " BAR " "));
	char *last = strrchr(out.text, '-');
	CHECK(last && strncmp(last, "- loss: ", 8) == 0);
}
