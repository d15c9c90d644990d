/* SPDX-License-Identifier: MIT
 *
 * plot.c - drawings of models: the text for Graphviz, pictures by its program or a clear refusal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "help.h"
#include "sweep.h"

static char text[65536];

static const char *contents(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = 0;
	if (f)
		fclose(f);
	return text;
}

static int occurrences(const char *all, const char *part)
{
	int n = 0;
	for (; (all = strstr(all, part)); all += strlen(part))
		n++;
	return n;
}

/* two inputs, a layer used twice, a nested model used twice, in it another one */
static nacre_model *graph(nacre_runtime *rt)
{
	nacre_model *inner = nacre_sequential_in(rt, "inner");
	nacre_add(inner, nacre_input(3));
	nacre_add(inner, nacre_dense(3, .name = "deep"));
	nacre_model *outer = nacre_sequential_in(rt, "encoder");
	nacre_add(outer, nacre_input(4));
	nacre_add(outer, nacre_dense(3, .name = "first"));
	nacre_add(outer, nacre_nested(inner));
	nacre_model *m = nacre_functional_in(rt, "a \"name\"");
	nacre_value *a =
	    nacre_model_input(m, nacre_input_new((nacre_input_options){.shape = {4}, .name = "a"}));
	nacre_value *b =
	    nacre_model_input(m, nacre_input_new((nacre_input_options){.shape = {4}, .name = "b"}));
	nacre_layer *look = nacre_dense(4, .name = "look<&>"), *nested = nacre_nested(outer);
	a = nacre_apply(nested, nacre_apply(look, a));
	b = nacre_apply(nested, nacre_apply(look, b));
	nacre_model_output(m, nacre_apply_n(nacre_add_layer(.name = "sum"), 2,
					    (nacre_value *[]){a, b}));
	return m;
}

TEST(text_of_a_graph)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = graph(rt);
	CHECK_EQ(nacre_plot_model(m, "plot_test.dot"), NACRE_OK);
	const char *s = contents("plot_test.dot");
	CHECK(strncmp(s, "digraph \"a \\\"name\\\"\" {", 22) == 0);
	CHECK_EQ(occurrences(s, "subgraph"), 2);
	CHECK_EQ(occurrences(s, "label=\"encoder\""), 1);
	/* a node a layer: two inputs, look, sum; of the models inside an input and a dense each */
	CHECK_EQ(occurrences(s, "<table"), 8);
	CHECK_EQ(occurrences(s, "<b>look&lt;&amp;&gt;</b> (Dense)"), 1);
	CHECK(strstr(s, "Input shape: <b>(None, 4), (None, 4)</b>") == NULL);
	CHECK(strstr(s, "Input shape: <b>(None, 3), (None, 3)</b>"));
	CHECK(strstr(s, "\"a\" -> \"look<&>\";"));
	CHECK(strstr(s, "\"b\" -> \"look<&>\";"));
	CHECK_EQ(occurrences(s, "\"look<&>\" -> \"encoder/"), 2);
	CHECK_EQ(occurrences(s, "\"encoder/inner/deep\" -> \"sum\";"), 2);
	CHECK_EQ(occurrences(s, "\"encoder/first\" -> \"encoder/inner/"), 1);
	CHECK_EQ(nacre_plot_model(m, "plot_test.gv", .no_expand = 1, .left_to_right = 1,
				  .show_dtype = 1, .show_trainable = 1, .no_shapes = 1),
		 NACRE_OK);
	s = contents("plot_test.gv");
	CHECK_EQ(occurrences(s, "subgraph"), 0);
	CHECK_EQ(occurrences(s, "<table"), 5);
	CHECK_EQ(occurrences(s, "\"look<&>\" -> \"encoder\";"), 2);
	CHECK(strstr(s, "rankdir=LR") && strstr(s, "Output type: <b>f32</b>"));
	CHECK(strstr(s, ">trainable<") && !strstr(s, " shape:"));
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_runtime_free(rt);
	unlink("plot_test.dot");
	unlink("plot_test.gv");
}

/* Graphviz's program may be there or not: here it is what the test puts on the path. */
static void pretend_dot(const char *script)
{
	mkdir("plot_test_bin", 0700);
	unlink("plot_test_bin/dot");
	setenv("PATH", "plot_test_bin:/usr/bin:/bin", 1);
	if (!script) {
		setenv("PATH", "plot_test_bin", 1);
		return;
	}
	FILE *f = fopen("plot_test_bin/dot", "w");
	CHECK(f);
	if (f) {
		fputs(script, f);
		fclose(f);
	}
	chmod("plot_test_bin/dot", 0700);
}

TEST(pictures_by_dot)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = graph(rt);
	pretend_dot("#!/bin/sh\n[ \"$1\" = -Tsvg ] || exit 4\necho '<svg>'\nexec cat\n");
	CHECK_EQ(nacre_plot_model(m, "plot_test.svg"), NACRE_OK);
	const char *s = contents("plot_test.svg");
	CHECK(strncmp(s, "<svg>\ndigraph", 13) == 0 && strstr(s, "-> \"sum\";\n}\n"));
	CHECK_EQ(nacre_plot_model(m, "plot_test.png"), NACRE_FAILED);
	CHECK(strstr(nacre_model_error(m)->text, "plot: dot failed with exit code 4"));
	nacre_clear_error(m);
	pretend_dot("#!/bin/sh\nexit 0\n"); /* no picture */
	CHECK_EQ(nacre_plot_model(m, "plot_test.svg"), NACRE_FAILED);
	nacre_clear_error(m);
	CHECK(strncmp(contents("plot_test.svg"), "<svg>", 5) == 0); /* the old one stands */
	pretend_dot(NULL);
	CHECK_EQ(nacre_plot_model(m, "plot_test.svg"), NACRE_UNSUPPORTED);
	CHECK(strstr(nacre_model_error(m)->text, "Graphviz's program dot, which is not installed"));
	nacre_clear_error(m);
	CHECK_EQ(nacre_plot_model(m, "plot_test.dot"), NACRE_OK);
	unlink("plot_test_bin/dot");
	rmdir("plot_test_bin");
	unlink("plot_test.dot");
	unlink("plot_test.svg");
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

TEST(refusals)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = graph(rt), *empty = nacre_sequential_in(rt, "empty");
	static const struct {
		const char *path, *text;
		nacre_status status;
	} wrong[] = {
	    {NULL, "plot: the path is NULL", NACRE_INVALID},
	    {"model.jpg", "plot: model.jpg: expected a name that ends in .dot, .gv, .svg",
	     NACRE_INVALID},
	    {"no.such/folder", "plot: no.such/folder: expected a name", NACRE_INVALID},
	    {"no/such/folder/model.dot", "no/such/folder/model.dot: cannot", NACRE_IO},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_EQ(nacre_plot_model(m, wrong[i].path), wrong[i].status);
		CHECK(strstr(nacre_model_error(m)->text, wrong[i].text));
		nacre_clear_error(m);
	}
	CHECK(nacre_plot_model(empty, "plot_test.dot") != NACRE_OK);
	CHECK(nacre_plot_model(NULL, "plot_test.dot") != NACRE_OK);
	CHECK(access("plot_test.dot", F_OK) != 0);
	nacre_model_free(empty);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

static nacre_model *drawn;

static void make_graph(nacre_runtime *rt, long n)
{
	(void)n;
	if (!drawn)
		drawn = graph(rt);
	nacre_clear_error(drawn);
}

static nacre_status draw(nacre_runtime *rt)
{
	(void)rt;
	return nacre_plot_model(drawn, "plot_test.dot");
}

static void only_no_memory(nacre_runtime *rt, long n)
{
	(void)rt, (void)n;
	CHECK_EQ(nacre_model_error(drawn)->status, state.failed ? NACRE_NO_MEMORY : NACRE_OK);
	if (state.failed)
		return;
	nacre_model_free(drawn);
	drawn = NULL;
}

TEST(no_memory)
{
	sweep_allocations(&(sweep){
	    .live = draw, .before = make_graph, .after = only_no_memory, .least = 3});
	sweep_allocations(&(sweep){.live = draw,
				   .before = make_graph,
				   .after = only_no_memory,
				   .least = 3,
				   .for_ever = true});
	unlink("plot_test.dot");
}
