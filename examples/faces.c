/* SPDX-License-Identifier: MIT
 *
 * faces.c - faces recognised: who of 40 people is it, and, by an embedding network that never saw
 * them, are these two pictures of the same person; see docs/faces.md.
 *
 *     faces [SEEDS [EPOCHS]]      3 seeds, 60 epochs each; writes faces-roc.svg and faces.png
 *     faces tune                  the same network among the first 20 people alone
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nacre.h>

enum { PEOPLE = 40, SHOTS = 10, SEEN = 5 };      /* pictures of each; seen in identification */
enum { KNOWN = 20, STRANGERS = PEOPLE - KNOWN }; /* settings were chosen by the known alone */
enum { HEIGHT = 56, WIDTH = 46, PIXELS = HEIGHT * WIDTH, DIMS = 128 };
enum { EPOCHS = 60, BATCH = 40, SEEDS = 3, MAX_SEEDS = 9 };
#define RATE 0.002
#define SCALE 16   /* of cosines before the softmax */
#define MARGIN 0.4 /* by which the right person's cosine must win */

/* People from, from + 1 ..., after the last of `circle` the first; some pictures of each. */
typedef struct part {
	int circle, from, people, first, shots;
} part;

/* -- pictures ---------------------------------------------------------------------------------- */
static void fail(nacre_error *e, nacre_status status, const char *text)
{
	if (!e->status) {
		e->status = status;
		snprintf(e->text, sizeof e->text, "%s", text);
	}
}

/* Picture k (1 .. 10) of person p at [p][k - 1], halved in size, 0 .. 255. */
static float *load(nacre_error *e)
{
	nacre_dataset *d = nacre_orl_faces(.data = {.image = {.height = HEIGHT,
							      .width = WIDTH,
							      .interpolation = NACRE_AREA},
						    .no_shuffle = 1});
	bool have[PEOPLE * SHOTS] = {false};
	int n = 0;
	float *x = malloc(sizeof *x * PEOPLE * SHOTS * PIXELS);
	if (!d || !x)
		fail(e, NACRE_NO_MEMORY, "out of memory");
	else
		*e = *nacre_dataset_error(d);
	for (int64_t i = 0; i < nacre_dataset_size(d) && !e->status; i++) {
		const char *name = strrchr(nacre_dataset_file(d, i), '/');
		long k = name ? strtol(name + 1, NULL, 10) : 0;
		int64_t at = nacre_dataset_label(d, i) * SHOTS + k - 1;
		if (k < 1 || k > SHOTS || have[at])
			continue;
		have[at] = true;
		n++;
		nacre_dataset_sample(d, i, x + at * PIXELS, e);
	}
	if (n < PEOPLE * SHOTS)
		fail(e, NACRE_BAD_DATA, "ORL faces: expected pictures 1 .. 10 of 40 people");
	nacre_dataset_free(d);
	return x;
}

static const float *picture(const float *x, part p, int person, int shot)
{
	return x + ((p.from + person) % p.circle * SHOTS + p.first + shot) * PIXELS;
}

static void copy(float *to, const float *from, bool mirrored)
{
	for (int i = 0; i < PIXELS; i++)
		to[i] = from[mirrored ? i / WIDTH * WIDTH + WIDTH - 1 - i % WIDTH : i];
}

/* As a data set, whose labels count people from p.from. */
static nacre_dataset *dataset(const float *x, part p, bool mirrored)
{
	int64_t n = (int64_t)p.people * p.shots;
	nacre_tensor *to =
	    nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){n, HEIGHT, WIDTH, 1}, NULL);
	nacre_tensor *label = nacre_tensor_new(NULL, NACRE_I32, 1, &n, NULL);
	for (int i = 0; i < n && to && label; i++) {
		copy((float *)nacre_tensor_data(to) + (size_t)i * PIXELS,
		     picture(x, p, i / p.shots, i % p.shots), mirrored);
		((int32_t *)nacre_tensor_data(label))[i] = i / p.shots;
	}
	nacre_dataset *d = to && label ? nacre_dataset_from_tensors(NULL, to, label) : NULL;
	nacre_tensor_free(to);
	nacre_tensor_free(label);
	return d;
}

/* -- networks ---------------------------------------------------------------------------------- */
/* Softmax of cosines with an additive margin (CosFace: Wang and others, 2018): y_pred [n, people]
 * are the cosines of the angles between a picture's embedding and each person's direction, y_true
 * the right person, whose cosine counts for less by the margin, and must win even so. */
static nacre_node *margin_softmax(nacre_node *y_true, nacre_node *y_pred,
				  const nacre_loss_options *o)
{
	if (!y_true || !y_pred)
		return NULL;
	nacre_node *right = nacre_one_hot(y_true, nacre_node_shape(y_pred)[1], NACRE_F32);
	nacre_node *less = nacre_minus(y_pred, nacre_scale(right, o->margin));
	return nacre_sparse_categorical_crossentropy(y_true, nacre_scale(less, o->gamma),
						     &(nacre_loss_options){.from_logits = 1});
}

static void convolve(nacre_model *m, int64_t filters)
{
	nacre_add(m, nacre_conv2d(filters, {3, 3}, .padding = NACRE_SAME, .no_bias = 1));
	nacre_add(m, nacre_batch_normalization(.momentum = 0.9));
	nacre_add(m, nacre_activation(nacre_relu));
	nacre_add(m, nacre_max_pooling2d());
}

/* Pictures are mirrored and moved a little, and brought to mean 0 and deviation 1 each: how light
 * one is says nothing about who is on it.  Rotation and zoom would blur them further, each by its
 * own interpolation, and a network that has only seen blurred pictures does worse on sharp ones. */
static void body(nacre_model *m)
{
	nacre_add(m, nacre_input(HEIGHT, WIDTH, 1));
	nacre_add(m, nacre_random_flip(NACRE_FLIP_HORIZONTAL));
	nacre_add(m, nacre_random_translation(0.06, 0.06, .fill_mode = NACRE_FILL_NEAREST));
	nacre_add(m, nacre_layer_normalization(.axis = {1, 2, 3}, .no_center = 1, .no_scale = 1));
	convolve(m, 16);
	convolve(m, 32);
	convolve(m, 64);
	convolve(m, 128);
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dropout(0.3));
}

static nacre_model *network(int people, bool embedding, uint64_t seed, double steps)
{
	nacre_optimizer adam = nacre_adam(.schedule = nacre_cosine_decay(RATE, steps));
	nacre_model *m = nacre_sequential(embedding ? "embedding" : "classifier");
	nacre_set_seed(m, seed);
	body(m);
	if (!embedding) {
		nacre_add(m, nacre_dense(people, .activation = nacre_softmax));
		nacre_compile(m, .optimizer = adam, .loss = nacre_sparse_categorical_crossentropy,
			      .metrics = {nacre_accuracy});
		return m;
	}
	nacre_add(m, nacre_dense(DIMS, .no_bias = 1));
	nacre_add(m, nacre_unit_normalization(-1));
	nacre_add(m, nacre_dense(people, .no_bias = 1, .kernel_constraint = nacre_unit_norm(0)));
	nacre_compile(m, .optimizer = adam, .loss = margin_softmax,
		      .loss_options = {.margin = MARGIN, .gamma = SCALE},
		      .metrics = {nacre_accuracy});
	return m;
}

static double seconds(void)
{
	struct timespec t;
	timespec_get(&t, TIME_UTC);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Trained on the part; an embedding network gives its embeddings from now on. */
static nacre_model *trained(const float *x, part p, bool embedding, uint64_t seed, int epochs)
{
	nacre_dataset *d = dataset(x, p, false);
	int64_t batches = (nacre_dataset_size(d) + BATCH - 1) / BATCH;
	double start = seconds();
	nacre_model *m = network(p.people, embedding, seed, (double)(epochs * batches));
	nacre_fit(m, d, .epochs = epochs, .batch_size = BATCH, .verbose = NACRE_SILENT);
	printf("%s, seed %d: %d pictures of %d people, %d epochs, loss %.3f, %.1f s\n",
	       nacre_model_name(m), (int)seed, p.people * p.shots, p.people, epochs,
	       nacre_history(m, "loss", epochs - 1), seconds() - start);
	fflush(stdout);
	nacre_dataset_free(d);
	if (embedding)
		nacre_cut(m, "unit_normalization");
	return m;
}

/* -- recognising ------------------------------------------------------------------------------- */
/* What is compared: a vector of unit length for every picture of some people, person by person. */
typedef struct vectors {
	int people;
	int64_t size;
	float *at; /* NULL: none */
} vectors;

static void to_unit_length(float *v, int64_t n)
{
	double squares = 0;
	for (int64_t k = 0; k < n; k++)
		squares += (double)v[k] * v[k];
	float factor = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
	for (int64_t k = 0; k < n; k++)
		v[k] *= factor;
}

/* Of each picture and its mirror image the mean. */
static vectors embed(nacre_model *m, const float *x, part p)
{
	int64_t n = (int64_t)p.people * p.shots;
	vectors v = {p.people, DIMS, calloc((size_t)(n * DIMS), sizeof *v.at)};
	for (int mirrored = 0; mirrored < 2 && v.at; mirrored++) {
		nacre_dataset *d = dataset(x, p, mirrored);
		nacre_tensor *y = nacre_predict(m, d);
		for (int64_t i = 0; i < n * DIMS && y; i++)
			v.at[i] += ((const float *)nacre_tensor_data(y))[i];
		nacre_tensor_free(y);
		nacre_dataset_free(d);
	}
	for (int64_t i = 0; i < n && v.at; i++)
		to_unit_length(v.at + i * DIMS, DIMS);
	return v;
}

/* The pixels themselves, less their mean: what a network has to be better than. */
static vectors plain(const float *x, part p)
{
	int n = p.people * p.shots;
	vectors v = {p.people, PIXELS, malloc(sizeof *x * (size_t)n * PIXELS)};
	for (int i = 0; i < n && v.at; i++) {
		const float *from = picture(x, p, i / p.shots, i % p.shots);
		float *to = v.at + (size_t)i * PIXELS;
		double sum = 0;
		for (int k = 0; k < PIXELS; k++)
			sum += from[k];
		for (int k = 0; k < PIXELS; k++)
			to[k] = from[k] - (float)(sum / PIXELS);
		to_unit_length(to, PIXELS);
	}
	return v;
}

static float likeness(vectors v, int a, int b)
{
	float sum = 0;
	for (int64_t k = 0; k < v.size; k++)
		sum += v.at[a * v.size + k] * v.at[b * v.size + k];
	return sum;
}

/* The last five pictures of each person are named after the nearest of the first `enrolled`. */
static double identified(vectors v, int enrolled)
{
	int right = 0;
	for (int i = 0; i < v.people * SHOTS && v.at; i++) {
		float best = -2;
		int who = -1;
		for (int k = 0; k < v.people * enrolled && i % SHOTS >= SEEN; k++) {
			float l = likeness(v, i, k / enrolled * SHOTS + k % enrolled);
			who = l > best ? k / enrolled : who;
			best = fmaxf(l, best);
		}
		right += who == i / SHOTS;
	}
	return (double)right / (v.people * (SHOTS - SEEN));
}

typedef struct pair {
	float likeness;
	int a, b;
} pair;

static bool same(pair p)
{
	return p.a / SHOTS == p.b / SHOTS;
}

static int by_likeness(const void *a, const void *b)
{
	float x = ((const pair *)a)->likeness, y = ((const pair *)b)->likeness;
	return (x < y) - (x > y);
}

/* What is known of all pairs, the most alike first. */
enum { GRID = 60 }; /* false acceptances 0.001 .. 1 in equal steps of the logarithm */
typedef struct verification {
	int n;
	pair *pair; /* NULL: no memory */
	double equal_error, threshold;
	double accepted[GRID + 1]; /* of the same person's pairs */
} verification;

static double false_at(int i)
{
	return pow(10, 3.0 * i / GRID - 3);
}

/* Pair by pair more is accepted; where as many of the right ones are still refused as wrong ones
 * are accepted lies the equal error rate. */
static void measure(verification *v, int right)
{
	int hits = 0, misses = 0, wrong = v->n - right, at = 0;
	v->equal_error = -1;
	for (int i = 0; i < v->n; i++) {
		bool hit = same(v->pair[i]);
		double next = (double)(misses + !hit) / wrong;
		for (; at <= GRID && next > false_at(at); at++)
			v->accepted[at] = (double)hits / right;
		hits += hit;
		misses += !hit;
		double refused = 1 - (double)hits / right;
		if (v->equal_error < 0 && next >= refused) {
			v->equal_error = (next + refused) / 2;
			v->threshold = v->pair[i].likeness;
		}
	}
	for (; at <= GRID; at++)
		v->accepted[at] = 1;
}

static verification verify(vectors x)
{
	int n = x.people * SHOTS;
	verification v = {.n = n * (n - 1) / 2};
	v.pair = x.at ? malloc(sizeof *v.pair * (size_t)v.n) : NULL;
	if (!v.pair)
		return v;
	for (int a = 0, i = 0; a < n; a++)
		for (int b = a + 1; b < n; b++)
			v.pair[i++] = (pair){likeness(x, a, b), a, b};
	qsort(v.pair, (size_t)v.n, sizeof *v.pair, by_likeness);
	measure(&v, x.people * SHOTS * (SHOTS - 1) / 2);
	return v;
}

/* -- drawing ----------------------------------------------------------------------------------- */
enum { ROWS = 20, CURVES = MAX_SEEDS + 1 };

/* '#': the first curve, 'o': the second, '@': both. */
static void draw_text(const verification *a, const verification *b)
{
	printf("\npairs of the same person accepted (#: embedding, o: pixels)\n");
	for (int row = ROWS; row >= 0; row--) {
		if (row % 5)
			printf("      |");
		else
			printf("%4d %%|", row * 100 / ROWS);
		for (int i = 0; i <= GRID; i++) {
			bool first = lround(a->accepted[i] * ROWS) == row;
			bool second = lround(b->accepted[i] * ROWS) == row;
			putchar(first && second ? '@' : first ? '#' : second ? 'o' : ' ');
		}
		putchar('\n');
	}
	printf("      +");
	for (int i = 0; i <= GRID; i++)
		putchar(i % (GRID / 3) ? '-' : '+');
	printf("\n    0.1 %%               1 %%                10 %%               100 %%\n"
	       "       pairs of different people accepted\n");
}

static void put_curve(FILE *to, const verification *v, const char *class)
{
	fprintf(to, "<polyline class=\"curve %s\" points=\"", class);
	for (int i = 0; i <= GRID; i++)
		fprintf(to, "%.1f,%.1f ", 60 + 480.0 * i / GRID, 340 - 300 * v->accepted[i]);
	fprintf(to, "\"/>\n");
}

/* The same, for any number of networks, on light pages and dark ones. */
static int draw_svg(const char *path, const verification *v, int n, const verification *pixels)
{
	static const char *const names[] = {"0.1 %", "1 %", "10 %", "100 %"};
	FILE *to = fopen(path, "w");
	if (!to)
		return 1;
	fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"600\" height=\"400\" "
		    "viewBox=\"0 0 600 400\" role=\"img\">\n<title>Faces of people never seen in "
		    "training: ROC</title>\n<style>text{font:12px sans-serif;fill:#1f2933}"
		    ".bg{fill:#fff}.grid{stroke:#e4e7eb}.curve{fill:none;stroke-width:2}"
		    ".net{stroke:#0b6bcb}.pixels{stroke:#c2410c;stroke-dasharray:6 4}"
		    "@media (prefers-color-scheme:dark){text{fill:#e4e7eb}.bg{fill:#14181d}"
		    ".grid{stroke:#2d3540}.net{stroke:#6cb6ff}.pixels{stroke:#ffa45c}}</style>\n"
		    "<rect class=\"bg\" width=\"100%%\" height=\"100%%\"/>\n");
	for (int i = 0; i < 4; i++)
		fprintf(to,
			"<path class=\"grid\" d=\"M%d 40V340\"/><text x=\"%d\" y=\"358\" "
			"text-anchor=\"middle\">%s</text>\n",
			60 + 160 * i, 60 + 160 * i, names[i]);
	for (int i = 0; i <= 5; i++)
		fprintf(to,
			"<path class=\"grid\" d=\"M60 %dH540\"/><text x=\"52\" y=\"%d\" "
			"text-anchor=\"end\">%d %%</text>\n",
			340 - 60 * i, 344 - 60 * i, 20 * i);
	put_curve(to, pixels, "pixels");
	for (int i = 0; i < n; i++)
		put_curve(to, &v[i], "net");
	fprintf(to, "<text x=\"16\" y=\"24\">pairs of the same person accepted: embedding, a line "
		    "for each seed; dashed: pixels</text>\n<text x=\"300\" y=\"384\" "
		    "text-anchor=\"middle\">pairs of different people accepted</text>\n</svg>\n");
	bool written = !ferror(to);
	return fclose(to) || !written;
}

/* The i-th pair of the same person, or of two, the most alike first or last. */
static const pair *nth(const verification *v, bool of_same, bool last, int i)
{
	for (int k = 0; k < v->n; k++) {
		const pair *p = &v->pair[last ? v->n - 1 - k : k];
		if (same(*p) == of_same && i-- == 0)
			return p;
	}
	return v->pair;
}

static const struct {
	const char *name;
	bool same, last;
} kinds[] = {{"the same person, most alike", true, false},
	     {"the same person, least alike", true, true},
	     {"different people, most alike", false, false},
	     {"different people, least alike", false, true}};
enum { KINDS = sizeof kinds / sizeof *kinds, SHOWN = 6, GAP = 12 };

static void print_pairs(const verification *v, part p)
{
	printf("\npairs, taken for the same person from a likeness of %.2f on:\n", v->threshold);
	for (int k = 0; k < KINDS; k++) {
		printf("  %-30s", kinds[k].name);
		for (int i = 0; i < 3; i++) {
			const pair *q = nth(v, kinds[k].same, kinds[k].last, i);
			printf("  s%d/%d s%d/%d %.2f", (p.from + q->a / SHOTS) % p.circle + 1,
			       q->a % SHOTS + 1, (p.from + q->b / SHOTS) % p.circle + 1,
			       q->b % SHOTS + 1, q->likeness);
		}
		putchar('\n');
	}
}

/* A line for each kind: pairs side by side, with gaps between them. */
static int draw_pairs(const char *path, const float *x, part p, const verification *v,
		      nacre_error *e)
{
	const int64_t across = SHOWN * (2 * WIDTH + GAP) - GAP, down = KINDS * (HEIGHT + GAP) - GAP;
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){down, across}, e);
	float *sheet = t ? nacre_tensor_data(t) : NULL;
	for (int64_t i = 0; sheet && i < down * across; i++)
		sheet[i] = 255;
	for (int i = 0; sheet && i < KINDS * SHOWN * 2; i++) {
		int kind = i / (2 * SHOWN), at = i / 2 % SHOWN;
		const pair *q = nth(v, kinds[kind].same, kinds[kind].last, at);
		int n = i % 2 ? q->b : q->a;
		const float *face = picture(x, p, n / SHOTS, n % SHOTS);
		float *to =
		    sheet + kind * (HEIGHT + GAP) * across + at * (2 * WIDTH + GAP) + i % 2 * WIDTH;
		for (int r = 0; r < HEIGHT; r++)
			memcpy(to + r * across, face + (size_t)r * WIDTH, sizeof *x * WIDTH);
	}
	if (t)
		nacre_image_save(t, path, NULL, e);
	nacre_tensor_free(t);
	return e->status;
}

/* -- the two questions ------------------------------------------------------------------------- */
typedef struct trial {
	double classifier, nearest; /* of 40 people whose first five pictures were seen: right */
	double one, five;           /* of strangers, of whom one or five pictures are enrolled */
	verification verified;
} trial;

static int classify(double *right, const float *x, int seen, int asked, uint64_t seed, int epochs)
{
	nacre_model *m = trained(x, (part){PEOPLE, 0, PEOPLE, 0, seen}, false, seed, epochs);
	nacre_dataset *d = dataset(x, (part){PEOPLE, 0, PEOPLE, seen, asked}, false);
	*right = nacre_evaluate(m, d, .verbose = NACRE_SILENT).metric[0];
	int status = nacre_report(m);
	nacre_dataset_free(d);
	nacre_model_free(m);
	return status;
}

/* Who is it? */
static int identify(trial *t, const float *x, uint64_t seed, int epochs)
{
	int status = classify(&t->classifier, x, SEEN, SHOTS - SEEN, seed, epochs);
	nacre_model *m = trained(x, (part){PEOPLE, 0, PEOPLE, 0, SEEN}, true, seed, epochs);
	vectors v = embed(m, x, (part){PEOPLE, 0, PEOPLE, 0, SHOTS});
	t->nearest = identified(v, SEEN);
	status |= nacre_report(m);
	nacre_model_free(m);
	free(v.at);
	return status;
}

/* Is it the same person?  Trained on `known`, asked about others. */
static int compare(trial *t, const float *x, part known, part others, uint64_t seed, int epochs)
{
	nacre_model *m = trained(x, known, true, seed, epochs);
	vectors v = embed(m, x, others);
	t->one = identified(v, 1);
	t->five = identified(v, SEEN);
	t->verified = verify(v);
	int status = nacre_report(m);
	nacre_model_free(m);
	free(v.at);
	return status || !t->verified.pair;
}

/* The settings above were chosen by this: the first 20 people in four groups, each verified by a
 * network that was trained on the other three; and a classifier that saw three of the first five
 * pictures of each person and is asked about the other two. */
static int tune(const float *x, int epochs)
{
	enum { GROUP = KNOWN / 4 };
	double sum = 0, right = 0;
	int status = 0;
	for (int i = 0; i < 4 && !status; i++) {
		trial t = {0};
		part group = {KNOWN, i * GROUP, GROUP, 0, SHOTS};
		part rest = {KNOWN, (i + 1) * GROUP, KNOWN - GROUP, 0, SHOTS};
		status = compare(&t, x, rest, group, (uint64_t)i + 1, epochs);
		sum += t.verified.equal_error / 4;
		printf("  equal error rate %.2f %%, from one picture %.1f %%\n",
		       100 * t.verified.equal_error, 100 * t.one);
		free(t.verified.pair);
	}
	printf("mean equal error rate %.2f %%\n", 100 * sum);
	status = status || classify(&right, x, 3, SEEN - 3, 1, epochs);
	printf("classifier: right %.2f %%\n", 100 * right);
	return status;
}

static void row(const char *name, const trial *t, int n, size_t field, double pixels)
{
	double sum = 0;
	if (pixels < 0)
		printf("  %-36s%8s |", name, "");
	else
		printf("  %-36s%8.2f |", name, 100 * pixels);
	for (int i = 0; i < n; i++) {
		double v = *(const double *)((const char *)&t[i] + field);
		printf("%8.2f", 100 * v);
		sum += v;
	}
	printf(" |%8.2f\n", 100 * sum / n);
}

static void table(const trial *t, int n, const trial *pixels)
{
	printf("\nin %% %41s |  seeds 1 .. %d | mean\n", "pixels", n);
	printf("who is it: 40 people, %d pictures each seen, %d others asked\n", SEEN,
	       SHOTS - SEEN);
	row("right, by the classifier", t, n, offsetof(trial, classifier), -1);
	row("right, by the nearest embedding", t, n, offsetof(trial, nearest), pixels->nearest);
	printf("people never seen in training: %d, networks trained on %d others\n", STRANGERS,
	       KNOWN);
	row("right, one picture of each known", t, n, offsetof(trial, one), pixels->one);
	row("right, five pictures of each known", t, n, offsetof(trial, five), pixels->five);
	row("the same person? equal error rate", t, n, offsetof(trial, verified.equal_error),
	    pixels->verified.equal_error);
	row("accepted where 1 % of others are", t, n, offsetof(trial, verified.accepted[GRID / 3]),
	    pixels->verified.accepted[GRID / 3]);
}

static void ask_pixels(trial *t, const float *x, part everybody, part strangers)
{
	vectors all = plain(x, everybody), some = plain(x, strangers);
	t->nearest = identified(all, SEEN);
	t->one = identified(some, 1);
	t->five = identified(some, SEEN);
	t->verified = verify(some);
	free(all.at);
	free(some.at);
}

static int run(const float *x, int seeds, int epochs, nacre_error *e)
{
	const part known = {PEOPLE, 0, KNOWN, 0, SHOTS};
	const part strangers = {PEOPLE, KNOWN, STRANGERS, 0, SHOTS};
	const part everybody = {PEOPLE, 0, PEOPLE, 0, SHOTS};
	trial t[MAX_SEEDS] = {{0}}, pixels = {0};
	verification v[MAX_SEEDS];
	int status = 0;
	ask_pixels(&pixels, x, everybody, strangers);
	for (int i = 0; i < seeds && !status; i++) {
		status = identify(&t[i], x, (uint64_t)i + 1, epochs) ||
			 compare(&t[i], x, known, strangers, (uint64_t)i + 1, epochs);
		v[i] = t[i].verified;
	}
	if (!status && pixels.verified.pair) {
		table(t, seeds, &pixels);
		draw_text(&v[0], &pixels.verified);
		print_pairs(&v[0], strangers);
		status = draw_svg("faces-roc.svg", v, seeds, &pixels.verified) ||
			 draw_pairs("faces.png", x, strangers, &v[0], e);
	}
	if (!status)
		printf("\nwrote faces-roc.svg and faces.png\nseed 1: equal error rate %.4f, 40 "
		       "people: accuracy %.4f\n",
		       v[0].equal_error, t[0].nearest);
	free(pixels.verified.pair);
	for (int i = 0; i < seeds; i++)
		free(t[i].verified.pair);
	return status;
}

int main(int argc, char **argv)
{
	bool tuning = argc > 1 && strcmp(argv[1], "tune") == 0;
	long seeds = argc > 1 && !tuning ? strtol(argv[1], NULL, 10) : SEEDS;
	long epochs = argc > 2 ? strtol(argv[2], NULL, 10) : EPOCHS;
	nacre_error e = {0};
	if (seeds < 1 || seeds > MAX_SEEDS || epochs < 1 || epochs > 10000) {
		fprintf(stderr, "usage: faces [SEEDS|tune [EPOCHS]]    1 .. %d seeds\n", MAX_SEEDS);
		return 2;
	}
	float *x = load(&e);
	int status = e.status;
	if (!status)
		status = tuning ? tune(x, (int)epochs) : run(x, (int)seeds, (int)epochs, &e);
	if (e.status)
		fprintf(stderr, "faces: %s\n", e.text);
	free(x);
	return status != 0;
}
