/* Attribution: every model against reference figures (exact linear algebra; timestamped paths
 * worked out by hand), the splitting of money, what files must not hold. */
#include "src/buf.h"
#include "src/csv.h"
#include "src/paths.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static json_t *load(const char *path)
{
	json_error_t e;
	json_t *j = json_load_file(path, 0, &e);
	if (!j)
		fail_msg("%s: %s", path, e.text);
	return j;
}

/* A set read from a JSON value, which is released. */
static struct path_set read_json(json_t *j)
{
	struct path_set s;
	struct ta_err err = {0};
	char *text = json_dumps(j, 0);
	json_decref(j);
	paths_init(&s, &arena);
	if (paths_read(&s, text, strlen(text), &err))
		fail_msg("%s", err.msg);
	free(text);
	return s;
}

static void near(double got, double want, const char *what, const char *channel)
{
	if (!(fabs(got - want) <= 1e-9 * fmax(1, fabs(want))))
		fail_msg("%s of %s: got %.15g, want %.15g", what, channel, got, want);
}

static void one_order(json_t *definition, json_t *c, const char *word, json_t *want)
{
	struct attribution at;
	struct ta_err err = {0};
	double w[PATHS_MAX_TOUCHES];
	struct path_set s =
		read_json(json_pack("{s:O, s:[O]}", "definition", definition, "cases", c));
	int m = attrib_of(word);
	assert_in_range(m, 0, ATTRIB_COUNT - 1);
	assert_int_equal(paths_attribute(&s, (enum attrib_model)m, 1, &at, &err), TA_OK);
	json_t *credit = json_object_get(want, "credit_minor"),
	       *weights = json_object_get(want, "weights");
	size_t rows = s.nchannels + (at.unattributed.conversions > 0);
	assert_int_equal(rows, json_object_size(credit));
	int64_t sum = at.unattributed.minor;
	assert_int_equal(at.unattributed.minor,
		json_integer_value(json_object_get(credit, "(unattributed)")));
	for (size_t i = 0; i < s.nchannels; i++) {
		json_t *v = json_object_get(credit, s.channels[i]);
		assert_non_null(v);
		assert_int_equal(at.credits[i].minor, json_integer_value(v));
		sum += at.credits[i].minor;
	}
	assert_int_equal(sum, s.paths[0].minor);
	assert_int_equal(s.paths[0].n, json_array_size(weights));
	(void)attrib_weights((enum attrib_model)m, &s.rules, s.paths[0].touches, s.paths[0].n, w);
	for (size_t i = 0; i < s.paths[0].n; i++)
		near(w[i], json_number_value(json_array_get(weights, i)), word, "a touch");
}

static void orders(void **state)
{
	(void)state;
	json_t *all = load(TA_TESTS "/golden/attribution/orders.json"), *c, *want;
	json_t *definition = json_object_get(all, "definition");
	const char *word;
	size_t i, n = 0;
	json_array_foreach(json_object_get(all, "cases"), i, c)
		json_object_foreach(json_object_get(c, "models"), word, want)
	{
		one_order(definition, c, word, want);
		n++;
	}
	assert_int_equal(n, 17 * 7);
	json_decref(all);
}

static const char *channel_of(const struct path_set *s, size_t i)
{
	return s->channels[i];
}

/* {"channel": conversions} or {"channel": [conversions, value]}; what is not named is 0. */
static void same_credit(
	const struct path_set *s, enum attrib_model m, int order, json_t *want, const char *what)
{
	struct attribution at;
	struct ta_err err = {0};
	assert_int_equal(paths_attribute(s, m, order, &at, &err), TA_OK);
	for (size_t i = 0; i < s->nchannels; i++) {
		json_t *v = json_object_get(want, channel_of(s, i));
		json_t *conversions = json_is_array(v) ? json_array_get(v, 0) : v;
		near(at.credits[i].conversions, json_number_value(conversions), what,
			channel_of(s, i));
		if (json_is_array(v))
			near(at.credits[i].value, json_number_value(json_array_get(v, 1)), what,
				channel_of(s, i));
	}
}

static void markov(const struct path_set *s, int order, json_t *want)
{
	struct attribution at;
	struct ta_err err = {0};
	assert_int_equal(paths_attribute(s, ATTRIB_MARKOV, order, &at, &err), TA_OK);
	near(at.p_conversion, json_number_value(json_object_get(want, "p_conv")), "p", "markov");
	assert_int_equal(at.states, json_integer_value(json_object_get(want, "nstates")));
	json_t *removal = json_object_get(want, "removal"), *value = json_object_get(want, "value");
	for (size_t i = 0; i < s->nchannels; i++) {
		const char *name = channel_of(s, i);
		near(at.credits[i].removal, json_number_value(json_object_get(removal, name)),
			"removal", name);
		near(at.credits[i].value, json_number_value(json_object_get(value, name)), "value",
			name);
	}
	same_credit(s, ATTRIB_MARKOV, order, json_object_get(want, "conversions"), "markov");
}

static void path_sets(void **state)
{
	(void)state;
	json_t *all = load(TA_TESTS "/golden/attribution/paths.json"), *c;
	const char *name;
	json_object_foreach(all, name, c)
	{
		struct path_set s =
			read_json(json_pack("{s:O}", "paths", json_object_get(c, "paths")));
		json_t *h = json_object_get(c, "heuristic"), *sh = json_object_get(c, "shapley");
		same_credit(&s, ATTRIB_FIRST_TOUCH, 1, json_object_get(h, "first"), "first");
		same_credit(&s, ATTRIB_LAST_TOUCH, 1, json_object_get(h, "last"), "last");
		same_credit(&s, ATTRIB_LINEAR, 1, json_object_get(h, "linear"), "linear");
		same_credit(&s, ATTRIB_POSITION, 1, json_object_get(h, "u_40_20_40"), "position");
		same_credit(&s, ATTRIB_SHAPLEY, 1, json_object_get(h, "linear_set"), "sets");
		same_credit(&s, ATTRIB_SHAPLEY, 1, json_object_get(sh, "sets"), "shapley");
		same_credit(&s, ATTRIB_SHAPLEY_RATE, 1, json_object_get(sh, "rate_conversions"),
			"rate");
		markov(&s, 1, json_object_get(c, "markov1"));
		markov(&s, 2, json_object_get(c, "markov2"));
	}
	assert_true(json_object_size(all) >= 3);
	json_decref(all);
}

/* Whatever the order of the chain, an order is as probable as it was counted to be; all credit is
 * given away. Random paths. */
static void invariants(void **state)
{
	(void)state;
	struct ta_err err = {0};
	srand(7);
	for (int round = 0; round < 50; round++) {
		struct path_set s;
		struct attribution at;
		double made = 0, all = 0, value = 0;
		paths_init(&s, &arena);
		s.exact = true;
		for (int i = 0; i < 40; i++) {
			struct path *p = paths_add(&s);
			p->n = (size_t)(1 + rand() % 7);
			p->touches = arena_alloc(&arena, p->n * sizeof(*p->touches));
			for (size_t k = 0; k < p->n; k++) {
				char name[3] = {'c', (char)('a' + rand() % 6), 0};
				p->touches[k].channel = paths_channel(&s, name);
				p->touches[k].paid = name[1] == 'c';
				p->touches[k].view = name[1] == 'd';
			}
			p->conversions = rand() % 3;
			p->nulls = rand() % 5;
			p->minor = rand() % 100000 - 20000;
			p->value = (double)p->minor;
			made += p->conversions;
			all += p->conversions + p->nulls;
			value += p->value;
		}
		for (int m = 0; m < ATTRIB_COUNT; m++)
			for (int order = 1; order <= (m == ATTRIB_MARKOV ? 3 : 1); order++) {
				assert_int_equal(
					paths_attribute(&s, (enum attrib_model)m, order, &at, &err),
					TA_OK);
				double got = at.unattributed.conversions;
				int64_t minor = at.unattributed.minor;
				for (size_t i = 0; i < s.nchannels; i++) {
					got += at.credits[i].conversions;
					minor += at.credits[i].minor;
				}
				near(got, made, "all conversions", attrib_word(m));
				assert_int_equal(minor, (int64_t)value);
				if (m == ATTRIB_MARKOV)
					near(at.p_conversion, made / all, "p", "markov");
			}
	}
}

static void paid_and_clicks(void **state)
{
	(void)state;
	struct touch t[] = {{.paid = true}, {.view = true}, {.direct = true}};
	double w[3];
	assert_true(attrib_weights(ATTRIB_LINEAR_PAID, &attrib_defaults, t, 3, w));
	near(w[0], 1, "paid", "0");
	assert_true(attrib_weights(ATTRIB_LINEAR_PAID, &attrib_defaults, t + 1, 2, w));
	near(w[1], 0.5, "no paid one", "1");
	assert_true(attrib_weights(ATTRIB_CLICKS_ONLY, &attrib_defaults, t, 3, w));
	near(w[0] + w[2], 1, "clicks", "0 and 2");
	assert_false(attrib_weights(ATTRIB_CLICKS_ONLY, &attrib_defaults, t + 1, 1, w));
	assert_false(attrib_weights(ATTRIB_LINEAR, &attrib_defaults, t, 0, w));
}

/* Shares sum to the amount, keep its sign, and are off by less than one unit. */
static void splitting(void **state)
{
	(void)state;
	double w[80];
	int64_t share[80];
	srand(11);
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)(1 + rand() % 80);
		int64_t amount = ((int64_t)rand() << (rand() % 21)) - rand(), sum = 0;
		double all = 0;
		for (size_t i = 0; i < n; i++)
			all += w[i] = rand() % 4 ? rand() : 0;
		if (!(all > 0))
			continue;
		for (size_t i = 0; i < n; i++)
			w[i] /= all;
		attrib_split(amount, w, n, share);
		for (size_t i = 0; i < n; i++) {
			sum += share[i];
			assert_true(fabs((double)share[i] - (double)amount * w[i]) < 1.001);
			assert_true(w[i] > 0 || share[i] == 0);
		}
		assert_int_equal(sum, amount);
	}
}

static void refused(const char *text, const char *why)
{
	struct path_set s;
	struct ta_err err = {0};
	paths_init(&s, &arena);
	if (!paths_read(&s, text, strlen(text), &err))
		fail_msg("taken: %s", text);
	if (!strstr(err.msg, why))
		fail_msg("%s: says \"%s\", not \"%s\"", text, err.msg, why);
}

#define HEAD "path,total_conversions,total_conversion_value,total_null\n"

static void bad_files(void **state)
{
	(void)state;
	refused("", "line 1: the header must be");
	refused("path,conversions\n", "line 1: the header must be");
	refused(HEAD "a,1,2\n", "line 2: 3 cells");
	refused(HEAD "a,1,2,3,4\n", "line 2: 5 cells");
	refused(HEAD "\n\na,x,2,3\n", "line 4: total_conversions is \"x\"");
	refused(HEAD "a,1,nan,3\n", "total_conversion_value is \"nan\"");
	refused(HEAD "a,-1,2,3\n", "total_conversions is \"-1\"; it cannot be below 0");
	refused(HEAD "a,1,2,\n", "total_null is \"\"");
	refused(HEAD "a > > b,1,2,3\n", "touch 2 of \"a > > b\" has no name");
	refused(HEAD "a >,1,2,3\n", "touch 2 of");
	refused(HEAD "\"a,1,2,3\n", "line 2: a quoted cell is not closed");
	refused(HEAD "a\"b,1,2,3\n", "line 2: a quote amid a cell");
	refused(HEAD "\"a\"b,1,2,3\n", "line 2: something follows");
	refused("{", "not JSON at byte");
	refused("{}", "neither \"cases\" nor \"paths\"");
	refused("{\"cases\": [{\"value_minor\": 1.5}]}", "cases[0]: value_minor must be a whole");
	refused("{\"cases\": [{\"value_minor\": 1, \"touches\": [{\"ch\": \"a\"}]}]}", "h is \"\"");
	refused("{\"cases\": [{\"value_minor\": 1, \"touches\": [{\"h\": 1}]}]}", "has no channel");
	refused("{\"cases\": [{\"value_minor\": 1, \"touches\": [{\"ch\": \"a\", \"h\": 1, "
		"\"type\": \"tap\"}]}]}",
		"type is \"tap\"");
	refused("{\"definition\": {\"half_life_h\": 0}, \"cases\": []}", "half_life_h is \"0\"");
	refused("{\"paths\": [{\"path\": \"a\", \"value\": 1}]}", "paths[0]: conversions is");
}

static void csv_cells(void **state)
{
	(void)state;
	static const char text[] = "\xef\xbb\xbf"
				   "a,\"b \"\"c\"\", d\",\r\n\r\n\"two\nlines\",x\nlast,";
	const char *cells[CSV_MAX_CELLS];
	struct csv c;
	struct ta_err err = {0};
	size_t n;
	csv_open(&c, text, sizeof(text) - 1);
	assert_int_equal(csv_next(&c, &arena, cells, &n, &err), TA_OK);
	assert_int_equal(n, 3);
	assert_string_equal(cells[0], "a");
	assert_string_equal(cells[1], "b \"c\", d");
	assert_string_equal(cells[2], "");
	assert_int_equal(csv_next(&c, &arena, cells, &n, &err), TA_OK);
	assert_int_equal(n, 2);
	assert_int_equal(c.line, 3);
	assert_string_equal(cells[0], "two\nlines");
	assert_int_equal(csv_next(&c, &arena, cells, &n, &err), TA_OK);
	assert_int_equal(c.line, 5);
	assert_string_equal(cells[0], "last");
	assert_string_equal(cells[1], "");
	assert_int_equal(csv_next(&c, &arena, cells, &n, &err), TA_OK);
	assert_int_equal(n, 0);
	csv_open(&c, "a\0b\n", 4);
	assert_int_equal(csv_next(&c, &arena, cells, &n, &err), TA_INVALID);
	csv_open(&c, "\"a\0b\"\n", 6);
	assert_int_equal(csv_next(&c, &arena, cells, &n, &err), TA_INVALID);
}

static void limits(void **state)
{
	(void)state;
	struct path_set s;
	struct attribution at;
	struct ta_err err = {0};
	struct buf b = BUF_INIT(100000);
	buf_adds(&b, HEAD);
	for (int i = 0; i < 13; i++)
		buf_addf(&b, "c%d,1,2,3\n", i);
	paths_init(&s, &arena);
	assert_int_equal(paths_read(&s, buf_str(&b), b.len, &err), TA_OK);
	assert_int_equal(paths_attribute(&s, ATTRIB_SHAPLEY_RATE, 1, &at, &err), TA_LIMIT);
	assert_non_null(strstr(err.msg, "at most 12"));
	buf_clear(&b);
	buf_adds(&b, HEAD "a");
	for (int i = 0; i < PATHS_MAX_TOUCHES; i++)
		buf_adds(&b, ">a");
	buf_adds(&b, ",1,2,3\n");
	refused(buf_str(&b), "a path has at most");
	buf_release(&b);
}

static int end(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(path_sets),
		cmocka_unit_test(invariants),
		cmocka_unit_test(paid_and_clicks),
		cmocka_unit_test(splitting),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(csv_cells),
		cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
