/* trackai attribution: how models share the orders of a file of paths among its channels. */
#include "src/buf.h"
#include "src/cmd.h"
#include "src/cmd_file.h"
#include "src/cmd_out.h"
#include "src/opt.h"
#include "src/paths.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNATTRIBUTED "(unattributed)"

struct line {
	const char *channel;
	struct credit credit;
};

static int by_conversions(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	double d = y->credit.conversions - x->credit.conversions;
	return d > 0 ? 1 : d < 0 ? -1 : strcmp(x->channel, y->channel);
}

/* The rows in order of credit; the unattributed one last. */
static size_t rows(const struct path_set *s, const struct attribution *at, struct line **out)
{
	size_t n = 0;
	*out = arena_alloc(s->a, (s->nchannels + 1) * sizeof(**out));
	for (size_t i = 0; i < s->nchannels; i++)
		(*out)[n++] = (struct line){s->channels[i], at->credits[i]};
	qsort(*out, n, sizeof(**out), by_conversions);
	if (at->unattributed.conversions > 0)
		(*out)[n++] = (struct line){UNATTRIBUTED, at->unattributed};
	return n;
}

static json_t *row_json(const struct path_set *s, const struct line *l, bool markov)
{
	json_t *o = json_pack(
		"{s:s, s:f}", "channel", l->channel, "conversions", l->credit.conversions);
	json_object_set_new(o, "value",
		s->exact ? json_integer((json_int_t)l->credit.minor) : json_real(l->credit.value));
	if (markov && strcmp(l->channel, UNATTRIBUTED) != 0)
		json_object_set_new(o, "removal_effect", json_real(l->credit.removal));
	return o;
}

static json_t *case_json(const struct path_set *s, const struct path *p, enum attrib_model m)
{
	double w[PATHS_MAX_TOUCHES];
	int64_t minor[PATHS_MAX_TOUCHES];
	json_t *touches = json_array();
	bool given = attrib_weights(m, &s->rules, p->touches, p->n, w);
	attrib_split(p->minor, w, p->n, minor);
	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(touches,
			json_pack("{s:s, s:f, s:I}", "channel", s->channels[p->touches[i].channel],
				"weight", w[i], "value", (json_int_t)minor[i]));
	return json_pack("{s:s, s:I, s:o, s:b}", "name", p->name ? p->name : "", "value",
		(json_int_t)p->minor, "touches", touches, "attributed", (int)given);
}

static void print_json(const struct path_set *s, const struct attribution *at, int order,
	const struct line *l, size_t n)
{
	bool markov = at->model == ATTRIB_MARKOV;
	json_t *credits = json_array(), *cases = json_array();
	json_t *o = json_pack("{s:s}", "model", attrib_word((int)at->model));
	if (markov)
		json_object_update_new(
			o, json_pack("{s:i, s:f, s:I}", "order", order, "p_conversion",
				   at->p_conversion, "states", (json_int_t)at->states));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(credits, row_json(s, &l[i], markov));
	json_object_set_new(o, "credits", credits);
	for (size_t i = 0; i < s->n && s->exact && attrib_kind_of(at->model) == ATTRIB_RULE; i++)
		json_array_append_new(cases, case_json(s, &s->paths[i], at->model));
	if (json_array_size(cases))
		json_object_set(o, "cases", cases);
	json_decref(cases);
	out_json(o);
}

static void print_people(const struct path_set *s, const struct line *l, size_t n)
{
	struct out_table t = {0};
	double all = 0;
	out_head(&t, "channel");
	out_head(&t, "conversions");
	out_head(&t, "share");
	out_head(&t, s->exact ? "value (minor)" : "value");
	for (size_t i = 0; i < n; i++)
		all += l[i].credit.conversions;
	for (size_t i = 0; i < n; i++) {
		const struct credit *c = &l[i].credit;
		out_cell(&t, l[i].channel);
		out_cellf(&t, "%.2f", c->conversions);
		out_cellf(&t, "%.1f %%", all > 0 ? 100 * c->conversions / all : 0);
		if (s->exact)
			out_cellf(&t, "%lld", (long long)c->minor);
		else
			out_cellf(&t, "%.2f", c->value);
	}
	out_print(&t);
}

static enum ta_rc check(
	int argc, char **argv, const char *model, const char *file, long order, struct ta_err *err)
{
	if (argc > 1)
		return ta_fail(err, TA_USAGE, "\"%.40s\" is one word too many", argv[1]);
	if (!file)
		return ta_fail(err, TA_USAGE, "give --paths FILE, CSV or JSON; - reads stdin");
	if (attrib_of(model) < 0) {
		struct buf words = BUF_INIT(400);
		for (int i = 0; i < ATTRIB_COUNT; i++)
			buf_addf(&words, " %s", attrib_word(i));
		(void)ta_fail(
			err, TA_USAGE, "no model \"%.20s\"; there are%s", model, buf_str(&words));
		buf_release(&words);
		return err->rc;
	}
	if (order < 1 || order > PATHS_MAX_ORDER)
		return ta_fail(
			err, TA_USAGE, "--order is %ld; give 1 to %d", order, PATHS_MAX_ORDER);
	return TA_OK;
}

int cmd_attribution(int argc, char **argv)
{
	const char *model = "last_non_direct", *file = NULL;
	long order = 1;
	bool json = false;
	struct ta_err err = {0};
	struct arena mem = ARENA_INIT;
	struct buf text = BUF_INIT(PATHS_MAX_BYTES + 65536);
	struct path_set set;
	struct attribution at = {0};
	struct line *lines = NULL;
	const struct opt opts[] = {
		{"model", OPT_STR, &model, "how credit is shared; default last_non_direct"},
		{"order", OPT_INT, &order, "of markov: 1, 2 or 3"},
		{"paths", OPT_STR, &file, "the paths: CSV or JSON"},
		{"json", OPT_FLAG, &json, "one JSON value"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	paths_init(&set, &mem);
	if (!rc)
		rc = check(argc, argv, model, file, order, &err);
	if (!rc)
		rc = cmd_read_file(file, PATHS_MAX_BYTES, &text, &err);
	if (!rc && (rc = paths_read(&set, buf_str(&text), text.len, &err)))
		ta_err_prefix(&err, "%s", file);
	if (!rc)
		rc = paths_attribute(
			&set, (enum attrib_model)attrib_of(model), (int)order, &at, &err);
	if (!rc) {
		size_t n = rows(&set, &at, &lines);
		if (set.untimed && at.model == ATTRIB_TIME_DECAY)
			fprintf(stderr,
				"trackai attribution: %s has no times; touches count as one "
				"day apart\n",
				file);
		if (json)
			print_json(&set, &at, (int)order, lines, n);
		else
			print_people(&set, lines, n);
	}
	arena_release(&mem);
	buf_release(&text);
	return rc ? cmd_fail("attribution", &err) : 0;
}
