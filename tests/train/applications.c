/* SPDX-License-Identifier: MIT
 *
 * applications.c - the networks of nacre/applications.h: layers, names and numbers of parameters as
 * Keras has them (tests/fixtures/applications.txt), and with weights that Keras wrote the
 * predictions of Keras, where such files are (script/check-applications).
 */
#include <stdio.h>
#include <stdlib.h>

#include "help.h"

#define SMALL .input_shape = {32, 32, 3}
#define BARE SMALL, .no_top = 1, .pooling = NACRE_TOP_AVERAGE

/* As in make_applications.py. */
static nacre_model *make(const char *name)
{
	if (strcmp(name, "resnet20") == 0)
		return nacre_resnet20();
	if (strcmp(name, "resnet50") == 0)
		return nacre_resnet50(SMALL, .classes = 10);
	if (strcmp(name, "resnet50_bare") == 0)
		return nacre_resnet50(BARE);
	if (strcmp(name, "vgg16") == 0)
		return nacre_vgg16(BARE);
	if (strcmp(name, "vgg19") == 0)
		return nacre_vgg19(BARE);
	if (strcmp(name, "mobilenet") == 0)
		return nacre_mobilenet(SMALL, .classes = 10, .alpha = 0.5, .depth_multiplier = 2);
	if (strcmp(name, "mobilenet_v2") == 0)
		return nacre_mobilenet_v2(SMALL, .classes = 10, .alpha = 0.35);
	if (strcmp(name, "efficientnet_b0") == 0)
		return nacre_efficientnet_b0(SMALL, .classes = 10);
	return NULL;
}

static int64_t layer_parameters(const nacre_layer *l)
{
	int64_t all = 0;
	for (int i = 0; i < nacre_layer_weights(l); i++) {
		nacre_variable *v = nacre_layer_weight(l, i);
		int64_t n = 1;
		for (int d = 0; d < nacre_variable_rank(v); d++)
			n *= nacre_variable_shape(v)[d];
		all += n;
	}
	return all;
}

/* Every layer but the input is one of the file's. */
static void check_count(nacre_model *m, int seen)
{
	if (m)
		CHECK_EQ(nacre_model_layers(m) - 1, seen);
	nacre_model_free(m);
}

TEST(structure)
{
	char line[200], class[64], name[64];
	long long parameters;
	int seen = 0, models = 0;
	nacre_model *m = NULL;
	FILE *f = fopen(NACRE_SOURCE_DIR "/tests/fixtures/applications.txt", "r");
	CHECK(f);
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%63s %63s %lld", class, name, &parameters) != 3)
			continue;
		if (strcmp(class, "model") == 0) {
			check_count(m, seen);
			m = make(name);
			seen = 0;
			models++;
			CHECK_STR(nacre_model_error(m)->text, "");
			CHECK_EQ(nacre_model_parameters(m), parameters);
			continue;
		}
		nacre_layer *l = nacre_get_layer(m, name);
		if (!l || strcmp(nacre_layer_class(l), class) != 0)
			test_failed(__FILE__, __LINE__, "%s: expected %s %s, got %s",
				    nacre_model_name(m), class, name,
				    l ? nacre_layer_class(l) : "none");
		CHECK_EQ(layer_parameters(l), parameters);
		seen++;
	}
	check_count(m, seen);
	CHECK_EQ(models, 8);
	if (f)
		fclose(f);
}

TEST(sizes)
{
	const struct {
		nacre_model *m;
		int64_t parameters;
		const char *name;
	} row[] = {
	    {nacre_lenet5(), 61706, "lenet5"},
	    {nacre_mobilenet(), 4253864, "mobilenet_1.00_224"},
	    {nacre_mobilenet(.alpha = 0.25), 475544, "mobilenet_0.25_224"},
	    {nacre_mobilenet_v2(), 3538984, "mobilenetv2_1.00_224"},
	    {nacre_efficientnet_b0(), 5330571, "efficientnetb0"},
	    {nacre_resnet50(), 25636712, "resnet50"},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		CHECK_STR(nacre_model_error(row[i].m)->text, "");
		CHECK_EQ(nacre_model_parameters(row[i].m), row[i].parameters);
		CHECK_STR(nacre_model_name(row[i].m), row[i].name);
		nacre_model_free(row[i].m);
	}
	nacre_model *tiny = nacre_resnet50(.input_shape = {8, 8, 3}, .no_top = 1);
	CHECK_EQ(nacre_model_error(tiny)->status, NACRE_OK);
	nacre_model_free(tiny);
	nacre_model *wrong = nacre_vgg16(.input_shape = {16, 16, 3}, .no_top = 1);
	CHECK_EQ(nacre_model_error(wrong)->status, NACRE_INVALID);
	nacre_model_free(wrong);
	nacre_model *missing = nacre_lenet5(.weights = "/nowhere/lenet.weights.h5");
	CHECK(nacre_model_error(missing)->status != NACRE_OK);
	nacre_model_free(missing);
}

static const char *path(const char *folder, const char *name, const char *end)
{
	static char text[3][600];
	static int next;
	char *p = text[next++ % 3];
	snprintf(p, sizeof text[0], "%s/%s%s", folder, name, end);
	return p;
}

static void compare(const char *name, nacre_model *m, const nacre_tensor *x,
		    const nacre_tensor *want)
{
	nacre_tensor *y = nacre_predict_tensor(m, x);
	CHECK_STR(nacre_model_error(m)->text, "");
	CHECK(y && want && nacre_tensor_size(y) == nacre_tensor_size(want));
	for (int64_t i = 0; y && want && i < nacre_tensor_size(y); i++) {
		double a = nacre_tensor_get(y, i), b = nacre_tensor_get(want, i);
		if (!(fabs(a - b) <= 1e-4 * fmax(1, fabs(b)))) {
			test_failed(__FILE__, __LINE__, "%s [%lld]: expected %g, got %g", name,
				    (long long)i, b, a);
			break;
		}
	}
	nacre_tensor_free(y);
}

TEST(weights)
{
	static const char *const names[] = {"resnet20",     "resnet50",       "resnet50_bare",
					    "vgg16",        "vgg19",          "mobilenet",
					    "mobilenet_v2", "efficientnet_b0"};
	const char *folder = getenv("NACRE_KERAS_APPLICATIONS");
	for (size_t i = 0; folder && i < sizeof names / sizeof *names; i++) {
		nacre_error e = {0};
		nacre_tensor *x = nacre_npy_load(NULL, path(folder, names[i], "_x.npy"), &e);
		nacre_tensor *y = nacre_npy_load(NULL, path(folder, names[i], "_y.npy"), &e);
		nacre_model *m = make(names[i]);
		nacre_load_weights(m, path(folder, names[i], ".weights.h5"));
		compare(names[i], m, x, y);
		nacre_model_free(m);
		m = nacre_load(NULL, path(folder, names[i], ".keras"), &e);
		CHECK_STR(e.text, "");
		compare(names[i], m, x, y);
		nacre_model_free(m);
		nacre_tensor_free(x);
		nacre_tensor_free(y);
	}
}
