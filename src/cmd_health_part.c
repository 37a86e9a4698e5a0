#include "src/cmd_health_part.h"

#include "src/attr.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/stat.h"
#include "src/words.h"

#include <stdio.h>
#include <string.h>

#define ALPHA 0.05

/* What to do about a part, for this pixel. */
static void step_of(struct buf *b, const struct health_row *row, int part)
{
	static const struct {
		const char *word;
		bool store;
	} words[] = {{"PIXEL", true}, {"NAME", false}};
	const char *s = health_step((enum health_part)part);
	while (*s) {
		size_t i = 0, n = 0;
		for (; i < TA_COUNT(words); i++)
			if (strncmp(s, words[i].word, (n = strlen(words[i].word))) == 0)
				break;
		if (i == TA_COUNT(words)) {
			buf_addc(b, *s++);
			continue;
		}
		if (words[i].store)
			buf_addf(b, "%s/", row->store);
		buf_adds(b, row->pixel);
		s += n;
	}
}

static json_t *part_json(const struct health_row *row, int part)
{
	const struct health_judged *p = &row->health.part[part];
	json_t *o = json_pack("{s:s, s:I, s:f, s:f, s:f, s:s}", "status",
		health_status_word(p->status), "n", (json_int_t)p->n, "value", p->value, "lo",
		p->lo, "hi", p->hi, "why", p->why);
	struct buf b = BUF_INIT(2000);
	step_of(&b, row, part);
	if (p->status >= HEALTH_WARN)
		json_object_set_new(o, "next", out_text(buf_str(&b), b.len));
	buf_release(&b);
	return o;
}

json_t *health_parts_json(const struct health_row *row)
{
	json_t *parts = json_object();
	for (int k = 0; k < HEALTH_PARTS; k++)
		json_object_set_new(parts, health_word((enum health_part)k), part_json(row, k));
	return parts;
}

/* Value and interval as a person reads them. */
static void number_cells(struct out_table *t, enum health_part part, const struct health_judged *p)
{
	if (!p->n || part == HEALTH_STATE) {
		out_cell(t, NULL);
		out_cell(t, NULL);
		return;
	}
	switch (part) {
	case HEALTH_DELIVERY:
	case HEALTH_FIRST_TRY:
	case HEALTH_MATCH_KEYS:
	case HEALTH_PAIRS:
	case HEALTH_REFUNDS:
		out_cellf(t, "%.1f %%", 100 * p->value);
		out_cellf(t, "%.1f-%.1f %%", 100 * p->lo, 100 * p->hi);
		break;
	case HEALTH_LATENCY:
		out_cellf(t, "%.2f s", p->value / 1000);
		out_cellf(t, "%.2f-%.2f s", p->lo / 1000, p->hi / 1000);
		break;
	case HEALTH_VOLUME:
		out_cellf(t, "%.0f %%", 100 * p->value);
		out_cell(t, NULL);
		break;
	case HEALTH_STATE:
	case HEALTH_QUEUE:
	case HEALTH_FRESHNESS:
	case HEALTH_LEDGER:
	case HEALTH_TOKEN:
	case HEALTH_CANARY:
	case HEALTH_PARTS:
		out_cellf(t, "%.4g", p->value);
		out_cell(t, NULL);
		break;
	}
}

static void print_steps(const struct health_row *row)
{
	for (int k = 0; k < HEALTH_PARTS; k++) {
		struct buf step = BUF_INIT(2000), clean = BUF_INIT(2000);
		if (row->health.part[k].status < HEALTH_WARN)
			continue;
		step_of(&step, row, k);
		out_clean(&clean, buf_str(&step));
		printf("%s: %s\n", health_word((enum health_part)k), buf_str(&clean));
		buf_release(&step);
		buf_release(&clean);
	}
}

void health_parts_print(const struct health_row *row, const char *circuit)
{
	struct out_table t = {0};
	out_head(&t, "component");
	out_head(&t, "health");
	out_head(&t, "n");
	out_head(&t, "value");
	out_head(&t, "interval");
	out_head(&t, "why");
	for (int k = 0; k < HEALTH_PARTS; k++) {
		const struct health_judged *p = &row->health.part[k];
		out_cell(&t, health_word((enum health_part)k));
		out_cell(&t, health_status_word(p->status));
		out_cellf(&t, "%lld", (long long)p->n);
		number_cells(&t, (enum health_part)k, p);
		out_cell(&t, p->why);
	}
	out_cell(&t, "circuit");
	for (int i = 0; i < 4; i++)
		out_cell(&t, NULL);
	out_cell(&t, circuit);
	out_print(&t);
	print_steps(row);
}

static json_t *share_json(int64_t k, int64_t n)
{
	if (!n)
		return json_null();
	struct stat_interval i = stat_wilson(k, n, ALPHA);
	return json_pack("{s:f, s:f, s:f}", "share", (double)k / (double)n, "lo", i.lo, "hi", i.hi);
}

static json_t *keys_json(const struct health_keys_list *l)
{
	json_t *all = json_array();
	for (size_t i = 0; i < l->n; i++) {
		const struct health_keys *r = &l->keys[i];
		json_t *keys = json_object();
		for (int k = 0; k < COVERAGE_KEYS; k++)
			json_object_set_new(keys, coverage_word(k),
				json_pack("{s:o, s:o}", "now", share_json(r->now.has[k], r->now.n),
					"before", share_json(r->before.has[k], r->before.n)));
		json_array_append_new(
			all, json_pack("{s:s, s:I, s:I, s:o}", "event", event_word(r->name), "n",
				     (json_int_t)r->now.n, "n_before", (json_int_t)r->before.n,
				     "keys", keys));
	}
	return all;
}

/* The share that carried each key, by event name; with what it was where that differs. */
static void print_keys(const struct health_keys_list *l)
{
	struct out_table t = {0};
	if (!l->n)
		return;
	printf("\nof the events since yesterday carried, in %% (in the seven days before)\n");
	out_head(&t, "event");
	out_head(&t, "n");
	for (int k = 0; k < COVERAGE_KEYS; k++)
		out_head(&t, coverage_word(k));
	for (size_t i = 0; i < l->n; i++) {
		const struct health_keys *r = &l->keys[i];
		out_cell(&t, event_word(r->name));
		out_cellf(&t, "%lld", (long long)r->now.n);
		for (int k = 0; k < COVERAGE_KEYS; k++) {
			double now = 100 * (double)r->now.has[k] / (double)TA_MAX(1, r->now.n);
			double was =
				100 * (double)r->before.has[k] / (double)TA_MAX(1, r->before.n);
			if (!r->now.n)
				out_cell(&t, NULL);
			else if (r->before.n && (now - was > 1 || was - now > 1))
				out_cellf(&t, "%.0f (%.0f)", now, was);
			else
				out_cellf(&t, "%.0f", now);
		}
	}
	out_print(&t);
}

/* What the platform says ----------------------------------------------------------------------- */

static json_t *stored(const char *text)
{
	json_t *v = *text ? json_loads(text, 0, NULL) : NULL;
	if (json_is_array(v))
		return v;
	json_decref(v);
	return json_array();
}

static json_t *quality_json(const struct quality_row *q)
{
	if (!q->asked_us)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "asked", out_time(q->asked_us), "read",
		out_time(q->read_us), "error",
		*q->error ? out_text(q->error, strlen(q->error)) : json_null(), "scores",
		stored(q->scores), "tags", stored(q->tags));
}

static const char *word_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s ? s : "-";
}

static void percent_cell(struct out_table *t, const json_t *v)
{
	if (json_is_number(v))
		out_cellf(t, "%.1f", json_number_value(v));
	else
		out_cell(t, NULL);
}

static void print_score(const json_t *score)
{
	struct out_table t = {0};
	struct buf head = BUF_INIT(1000);
	size_t i;
	json_t *c;
	out_clean(&head, word_of(score, "status"));
	buf_adds(&head, ", events by ");
	out_clean(&head, word_of(score, "source"));
	buf_adds(&head, " from ");
	out_clean(&head, word_of(score, "platform"));
	buf_adds(&head, " within ");
	out_clean(&head, word_of(score, "period"));
	printf("\nthe platform's own score: %s\n", buf_str(&head));
	buf_release(&head);
	out_head(&t, "component");
	out_head(&t, "event");
	out_head(&t, "coverage %");
	out_head(&t, "overlap %");
	out_head(&t, "what it says");
	json_array_foreach(json_object_get(score, "components"), i, c)
	{
		const json_t *issues = json_object_get(c, "issues");
		out_cell(&t, word_of(c, "component"));
		out_cell(&t, word_of(c, "event"));
		percent_cell(&t, json_object_get(c, "coverage"));
		percent_cell(&t, json_object_get(c, "overlap"));
		out_cell(&t, json_string_value(json_array_get(issues, 0)));
	}
	out_print(&t);
}

static void print_tags(const json_t *tags)
{
	size_t i;
	json_t *tag;
	json_array_foreach(tags, i, tag)
	{
		struct buf b = BUF_INIT(2000);
		char at[32] = "never";
		int64_t fired = json_integer_value(json_object_get(tag, "fired_ms"));
		if (fired > 0 && fired < INT64_MAX / 1000)
			clock_format(fired * 1000, at);
		out_clean(&b, word_of(tag, "name"));
		buf_adds(&b, " (");
		out_clean(&b, word_of(tag, "status"));
		buf_adds(&b, ", enhanced match ");
		out_clean(&b, word_of(tag, "enhanced_match"));
		printf("tag %s): last fired %s\n", buf_str(&b), at);
		buf_release(&b);
	}
}

static void print_quality(const struct quality_row *q)
{
	char at[32];
	size_t i;
	json_t *score, *scores = stored(q->scores), *tags = stored(q->tags);
	if (*q->error) {
		struct buf b = BUF_INIT(1000);
		clock_format(q->asked_us, at);
		out_clean(&b, q->error);
		printf("\nthe platform's own score: asked %s: %s\n", at, buf_str(&b));
		buf_release(&b);
	}
	json_array_foreach(scores, i, score) print_score(score);
	print_tags(tags);
	json_decref(scores);
	json_decref(tags);
}

enum ta_rc health_detail_read(struct db *db, const struct health_row *row, struct arena *a,
	struct health_detail *out, struct ta_err *err)
{
	*out = (struct health_detail){.row = row};
	enum ta_rc rc = health_keys_read(db, row, a, &out->keys, err);
	return rc ? rc : quality_get(db, row->pixel_id, a, &out->quality, err);
}

void health_detail_json(json_t *o, const struct health_detail *d)
{
	json_object_set_new(o, "keys", keys_json(&d->keys));
	json_object_set_new(o, "quality", quality_json(&d->quality));
}

void health_detail_print(const struct health_detail *d)
{
	print_keys(&d->keys);
	print_quality(&d->quality);
}
