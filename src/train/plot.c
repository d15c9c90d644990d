/* SPDX-License-Identifier: MIT
 *
 * plot.c - a model as a drawing: a node for each layer, an arrow for each value, a cluster for each
 * nested model.
 *
 * The drawing is described in Graphviz's language, which is what a .dot file holds; other formats
 * are made of it by Graphviz's program, if it is installed.  A node's identity is the path of its
 * layer's name, "encoder/dense": names of one model differ.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "train/model.h"
#include "train/nested.h"

enum { PATH_SIZE = 1024 };

typedef struct drawing {
	nc_text text;
	const nacre_plot_options *o;
	int clusters;
} drawing;

/* -- the description --------------------------------------------------------------------------- */
/* Inside quotes (`quotes`), or inside a label of the HTML kind. */
static void put_name(drawing *d, const char *s, bool quotes)
{
	for (; *s; s++) {
		char c = (unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s;
		if (quotes && (c == '"' || c == '\\'))
			nc_text_add(&d->text, "\\%c", c);
		else if (!quotes && (c == '<' || c == '>' || c == '&'))
			nc_text_add(&d->text, "&%s;", c == '<' ? "lt" : c == '>' ? "gt" : "amp");
		else
			nc_text_add(&d->text, "%c", c);
	}
}

/* room for a deeper path is checked by the caller: a cut one would be another node's */
static bool join(char path[PATH_SIZE], const char *folder, const char *name)
{
	int n = snprintf(path, PATH_SIZE, "%s%s%s", folder, *folder ? "/" : "", name);
	return n >= 0 && n < PATH_SIZE;
}

static void put_shapes(drawing *d, int n, nacre_value *const *x)
{
	char text[NC_SHAPE_TEXT];
	for (int i = 0; i < n; i++) {
		nc_value_shape_text(x[i], text, sizeof text);
		nc_text_add(&d->text, "%s%s", i ? ", " : "", text);
	}
}

static void put_cell(drawing *d, const char *what, int n, nacre_value *const *x)
{
	nc_text_add(&d->text, "<td>%s: <b>", what);
	put_shapes(d, n, x);
	nc_text_add(&d->text, "</b></td>");
}

static void put_type(drawing *d, const char *what, const nacre_value *v)
{
	nc_text_add(&d->text, "<td>%s: <b>%s</b></td>", what, nacre_dtype_name(v->dtype));
}

/* A layer by the first of its calls; a == NULL: the input v. */
static void put_node(drawing *d, const char *path, nacre_value *v, const nc_apply *a)
{
	nacre_value *out[NC_MAX_OUTPUTS];
	int n_out = 0, weights = v->layer->n_weights;
	for (nacre_value *o = v; o && n_out < NC_MAX_OUTPUTS; o = o->more)
		out[n_out++] = o;
	nc_text_add(&d->text, "\t\"");
	put_name(d, path, true);
	nc_text_add(&d->text, "\" [label=<<table border=\"0\" cellborder=\"1\" cellspacing=\"0\" "
			      "cellpadding=\"6\"><tr><td colspan=\"2\" bgcolor=\"#1f2933\">"
			      "<font color=\"white\"><b>");
	put_name(d, v->layer->name, false);
	nc_text_add(&d->text, "</b> (");
	put_name(d, v->layer->class->name, false);
	nc_text_add(&d->text, ")</font></td></tr>");
	if (!d->o->no_shapes) {
		nc_text_add(&d->text, "<tr>");
		put_cell(d, "Input shape", a ? a->n : 1, a ? a->x : &v);
		put_cell(d, "Output shape", n_out, out);
		nc_text_add(&d->text, "</tr>");
	}
	if (d->o->show_dtype) {
		nc_text_add(&d->text, "<tr>");
		put_type(d, "Input type", a ? a->x[0] : v);
		put_type(d, "Output type", v);
		nc_text_add(&d->text, "</tr>");
	}
	if (d->o->show_trainable && weights)
		nc_text_add(&d->text, "<tr><td colspan=\"2\">%s</td></tr>",
			    v->layer->frozen ? "not trainable" : "trainable");
	nc_text_add(&d->text, "</table>>];\n");
}

static bool expands(const drawing *d, const nacre_layer *l)
{
	return nc_nested_model(l) && !d->o->no_expand;
}

/* The node that a value comes out of, or, with `input` >= 0, that input of a layer goes into: of
 * nested models the node inside. */
static bool put_end(drawing *d, const char *folder, const nacre_value *v, const nacre_layer *l,
		    int input)
{
	char path[PATH_SIZE], deeper[PATH_SIZE];
	bool fits = join(path, folder, l->name);
	while (fits && expands(d, l)) {
		const nacre_model *m = nc_nested_model(l);
		v = input < 0 ? m->output[v->output] : m->input[input];
		l = v->layer;
		fits = join(deeper, path, l->name);
		memcpy(path, deeper, sizeof path);
		/* an input of the model inside is a node, not another model's */
		if (input >= 0)
			break;
	}
	nc_text_add(&d->text, "\"");
	put_name(d, path, true);
	nc_text_add(&d->text, "\"");
	return fits;
}

static bool put_model(drawing *d, const nacre_model *m, const char *folder);

static bool put_layer(drawing *d, const char *folder, nacre_value *v, const nc_apply *a)
{
	char path[PATH_SIZE];
	if (!join(path, folder, v->layer->name))
		return false;
	if (!expands(d, v->layer)) {
		put_node(d, path, v, a);
		return true;
	}
	nc_text_add(&d->text, "\tsubgraph \"cluster_%d\" {\n\tstyle=dashed;\n\tlabel=\"",
		    d->clusters++);
	put_name(d, v->layer->name, true);
	nc_text_add(&d->text, "\";\n");
	bool fits = put_model(d, nc_nested_model(v->layer), path);
	nc_text_add(&d->text, "\t}\n");
	return fits;
}

static bool put_model(drawing *d, const nacre_model *m, const char *folder)
{
	bool fits = true;
	for (int i = 0; i < m->n_inputs; i++)
		fits &= put_layer(d, folder, m->input[i], NULL);
	for (const nc_apply *a = m->calls; a && fits; a = a->next)
		if (a->y->call == 0)
			fits &= put_layer(d, folder, a->y, a);
	for (const nc_apply *a = m->calls; a && fits; a = a->next)
		for (int i = 0; i < a->n && fits; i++) {
			nc_text_add(&d->text, "\t");
			fits &= put_end(d, folder, a->x[i], a->x[i]->layer, -1);
			nc_text_add(&d->text, " -> ");
			fits &= put_end(d, folder, a->y, a->layer, i);
			nc_text_add(&d->text, ";\n");
		}
	return fits;
}

static bool describe(drawing *d, const nacre_model *m)
{
	nc_text_add(&d->text, "digraph \"");
	put_name(d, m->name, true);
	nc_text_add(&d->text,
		    "\" {\n\trankdir=%s;\n\tbgcolor=\"white\";\n\tnode [shape=plaintext, "
		    "margin=0, fontname=\"Helvetica\", fontsize=10];\n"
		    "\tedge [color=\"#52606d\"];\n\tgraph [fontname=\"Helvetica\", fontsize=11];\n",
		    d->o->left_to_right ? "LR" : "TB");
	bool fits = put_model(d, m, "");
	nc_text_add(&d->text, "}\n");
	return fits;
}

/* -- Graphviz ---------------------------------------------------------------------------------- */
/* Runs dot from one open file to another; its exit status, or -1 and errno. */
static int run_dot(const char *format, int in, int out)
{
	char option[16];
	snprintf(option, sizeof option, "-T%s", format);
	char *argument[] = {(char[]){"dot"}, option, NULL};
	posix_spawn_file_actions_t files;
	pid_t child;
	int status = 0, failed = posix_spawn_file_actions_init(&files);
	if (!failed) {
		failed = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO) ||
			 posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO) ||
			 posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
							  O_WRONLY, 0)
			     ? ENOMEM
			     : posix_spawnp(&child, "dot", &files, NULL, argument, environ);
		posix_spawn_file_actions_destroy(&files);
	}
	errno = failed;
	if (failed)
		return -1;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 0; /* the program reaps its children itself: the picture tells */
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* A file in memory with these bytes, at its beginning; -1: errno says why. */
static int memory_file(const char *data, size_t size)
{
	int fd = memfd_create("nacre", MFD_CLOEXEC);
	for (size_t n = 0; fd >= 0 && n < size;) {
		ssize_t put = write(fd, data + n, size - n);
		if (put < 0 && errno != EINTR) {
			close(fd);
			return -1;
		}
		n += put > 0 ? (size_t)put : 0;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

static nacre_status copy_out(int fd, const char *path, nacre_error *e)
{
	uint8_t buffer[16384];
	nc_writer w;
	if (nc_writer_open(&w, path, e))
		return e->status;
	lseek(fd, 0, SEEK_SET);
	for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;)
		nc_writer_write(&w, buffer, (size_t)n);
	return nc_writer_finish(&w);
}

static nacre_status draw(const nc_text *text, const char *path, const char *format, nacre_error *e)
{
	char why[128];
	int in = memory_file(text->data, text->size), out = memory_file(NULL, 0);
	int code = in < 0 || out < 0 ? -1 : run_dot(format, in, out);
	if (code == 127 || (code < 0 && errno == ENOENT))
		nc_fail(e, NACRE_UNSUPPORTED,
			"plot: a .%s file is drawn by Graphviz's program dot, which is not "
			"installed (Debian: apt install graphviz); a .dot file needs nothing",
			format);
	else if (code < 0)
		nc_fail(e, NACRE_FAILED, "plot: cannot run dot: %s",
			strerror_r(errno, why, sizeof why));
	else if (code || lseek(out, 0, SEEK_END) <= 0)
		nc_fail(e, NACRE_FAILED, "plot: dot failed with exit code %d", code);
	else
		copy_out(out, path, e);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return e->status;
}

static nacre_status keep(const nc_text *text, const char *path, nacre_error *e)
{
	nc_writer w;
	if (nc_writer_open(&w, path, e))
		return e->status;
	nc_writer_write(&w, text->data, text->size);
	return nc_writer_finish(&w);
}

/* What stands behind the last point of the name; "" if there is none. */
static const char *extension(const char *path)
{
	const char *point = strrchr(path, '.');
	return point && !strchr(point, '/') ? point + 1 : "";
}

nacre_status nacre_plot_model_with(nacre_model *m, nacre_plot_options o)
{
	static const char *const formats[] = {"dot", "gv", "svg", "png", "pdf"};
	enum { TEXTS = 2, FORMATS = sizeof formats / sizeof *formats };
	if (!nc_model_ready(m, "plot", false))
		return nacre_model_error(m)->status;
	if (!o.path)
		return nc_model_fail(m, false, NACRE_INVALID, "plot: the path is NULL");
	int format = 0;
	while (format < FORMATS && strcmp(formats[format], extension(o.path)))
		format++;
	if (format == FORMATS)
		return nc_model_fail(m, false, NACRE_INVALID,
				     "plot: %s: expected a name that ends in .dot, .gv, .svg, "
				     ".png or .pdf",
				     o.path);
	drawing d = {.o = &o};
	nacre_error e = {0};
	nc_text_init(&d.text, &m->runtime->memory);
	bool fits = describe(&d, m);
	if (d.text.failed)
		nc_fail(&e, NACRE_NO_MEMORY, "plot: out of memory");
	else if (!fits)
		nc_fail(&e, NACRE_UNSUPPORTED, "plot: models are nested too deep");
	else if (format < TEXTS)
		keep(&d.text, o.path, &e);
	else
		draw(&d.text, o.path, formats[format], &e);
	nc_text_free(&d.text);
	return e.status ? nc_model_fail(m, false, e.status, "%s", e.text) : NACRE_OK;
}
