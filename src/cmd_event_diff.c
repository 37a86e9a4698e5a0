#include "src/cmd_event_diff.h"

#include "db/conn.h"
#include "db/find.h"
#include "db/good.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/cmd_out.h"
#include "src/payload_diff.h"
#include "src/provenance.h"

#include <stdio.h>
#include <string.h>

/* As text: 72.39 stays 72.39, and "72.39" can be told from it. */
static json_t *value_json(const char *json)
{
	return json ? out_text(json, strlen(json)) : json_null();
}

static json_t *line_json(const struct payload_line *l)
{
	json_t *o = json_pack("{s:s, s:s, s:o, s:o, s:s, s:s, s:b, s:b}", "path", l->path, "change",
		payload_word(l->change), "before", value_json(l->before), "now", value_json(l->now),
		"before_look", l->before_look, "now_look", l->now_look, "complaint", l->blamed,
		"varies", l->varies);
	if (l->blamed)
		json_object_set_new(o, "problem", json_string(complaint_word(l->problem)));
	return o;
}

/* The newest exchange whose request is still there. */
static const struct find_attempt *sent_last(const struct find_delivery *d)
{
	for (size_t i = d->nattempts; i-- > 0;)
		if (d->attempts[i].attempt_id && d->attempts[i].request)
			return &d->attempts[i];
	return NULL;
}

static const struct good *good_of(const struct good *goods, size_t n, int32_t pixel_id)
{
	for (size_t i = 0; i < n; i++)
		if (goods[i].pixel_id == pixel_id)
			return &goods[i];
	return NULL;
}

static json_t *good_json(const struct good *g)
{
	if (!g)
		return json_null();
	return json_pack("{s:o, s:s, s:o, s:b}", "event", out_id(g->event_id), "label", g->label,
		"at", out_time(g->at_us), "kept", g->own != NULL);
}

static json_t *delivery_json(
	const struct find_delivery *d, const struct find_attempt *t, const struct good *g)
{
	struct arena a = ARENA_INIT;
	struct payload_diff diff;
	bool fine = t->after == DISP_DELIVERED;
	struct payload_case c = {.platform = (enum platform_id)platform_of(d->platform),
		.good = g ? g->own : NULL,
		.ngood = g ? g->nown : 0,
		.code = fine ? NULL : t->code,
		.message = fine ? NULL : t->message,
		.response = t->response,
		.nresponse = t->nresponse};
	c.now = provenance_sent(&a, t->request, t->nrequest, (size_t)t->position, &c.nnow);
	payload_diff(&c, &a, &diff);
	json_t *lines = json_array();
	for (size_t i = 0; i < diff.n; i++)
		json_array_append_new(lines, line_json(&diff.lines[i]));
	json_t *o = json_pack("{s:s, s:s, s:i, s:o, s:s, s:s, s:s, s:b, s:b, s:o, s:o}", "pixel",
		d->pixel, "platform", d->platform, "run", d->run, "sent_at", out_time(t->at_us),
		"disposition", disposition_word(t->after), "code", t->code, "message", t->message,
		"readable", diff.readable, "cut", diff.cut, "good", good_json(g), "lines", lines);
	arena_release(&a);
	return o;
}

static enum ta_rc read_goods(struct db *db, int64_t id, struct arena *a, struct good **goods,
	size_t *n, struct ta_err *err)
{
	struct buf sql = BUF_INIT(1 << 16);
	PGresult *r = NULL;
	good_sql(&sql, id);
	enum ta_rc rc = db_query(db, buf_str(&sql), NULL, &r, err);
	*n = rc ? 0 : good_take(a, r, goods);
	PQclear(r);
	buf_release(&sql);
	return rc;
}

enum ta_rc event_diff_json(struct db *db, const struct find_event *e, const char *pixel,
	json_t **out, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct good *goods = NULL;
	size_t n = 0, known = 0;
	enum ta_rc rc = read_goods(db, e->id, &a, &goods, &n, err);
	json_t *all = json_array();
	for (size_t i = 0; !rc && i < e->n; i++) {
		const struct find_delivery *d = &e->deliveries[i];
		if (pixel && strcmp(pixel, d->pixel) != 0)
			continue;
		known++;
		const struct find_attempt *t = sent_last(d);
		if (t)
			json_array_append_new(
				all, delivery_json(d, t, good_of(goods, n, d->pixel_id)));
	}
	if (!rc && pixel && !known)
		rc = ta_fail(err, TA_NOTFOUND, "the event did not go to a pixel \"%.60s\"", pixel);
	else if (!rc && !json_array_size(all))
		rc = ta_fail(err, TA_NOTFOUND,
			"nothing was sent for this event, so there is nothing to compare; trackai event "
			"show says why");
	if (rc)
		json_decref(all);
	else
		*out = all;
	arena_release(&a);
	return rc;
}

/* For people ---------------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s ? s : "";
}

static void put(struct buf *b, const json_t *line, const char *value, const char *look)
{
	const char *s = text_of(line, value);
	if (!*text_of(line, look)) {
		buf_adds(b, "nothing");
		return;
	}
	bool count = strcmp(text_of(line, "change"), "count") == 0;
	buf_addf(b, "%.80s%s", s, strlen(s) > 80 ? "…" : "");
	buf_addf(b, " (%s)", count ? "elements" : text_of(line, look));
}

static void print_line(const json_t *l)
{
	struct buf b = BUF_INIT(8192), clean = BUF_INIT(32768);
	bool blamed = json_is_true(json_object_get(l, "complaint"));
	bool same = strcmp(text_of(l, "change"), "same") == 0;
	buf_addf(&b, "%s %-8s %s: ", blamed ? "!" : " ", text_of(l, "change"), text_of(l, "path"));
	put(&b, l, "now", "now_look");
	if (!same) {
		buf_adds(&b, "; the good one has ");
		put(&b, l, "before", "before_look");
	}
	if (blamed)
		buf_adds(&b, "   <- the platform complains of this");
	out_clean(&clean, buf_str(&b));
	puts(buf_str(&clean));
	buf_release(&b);
	buf_release(&clean);
}

static void print_clean(const char *name, const char *text)
{
	struct buf b = BUF_INIT(64u << 10);
	out_clean(&b, text);
	printf("%-10s %s\n", name, buf_str(&b));
	buf_release(&b);
}

static void print_head(const json_t *d)
{
	struct arena a = ARENA_INIT;
	const json_t *good = json_object_get(d, "good");
	print_clean("pixel",
		arena_fmt(&a, "%s (%s), run %d", text_of(d, "pixel"), text_of(d, "platform"),
			(int)json_integer_value(json_object_get(d, "run"))));
	print_clean(
		"sent", arena_fmt(&a, "%s: %s", text_of(d, "sent_at"), text_of(d, "disposition")));
	if (*text_of(d, "message"))
		print_clean(
			"says", arena_fmt(&a, "%s %s", text_of(d, "code"), text_of(d, "message")));
	if (json_is_null(good))
		print_clean("against", "no delivered event of this name was found near it");
	else
		print_clean("against",
			arena_fmt(&a, "event %s %s, delivered %s%s", text_of(good, "event"),
				text_of(good, "label"), text_of(good, "at"),
				json_is_true(json_object_get(good, "kept"))
					? ""
					: "; what was sent of it is gone"));
	arena_release(&a);
}

void event_diff_print(const json_t *diffs)
{
	size_t i, k;
	json_t *d, *l;
	json_array_foreach(diffs, i, d)
	{
		size_t varies = 0;
		const json_t *lines = json_object_get(d, "lines");
		if (i)
			putchar('\n');
		print_head(d);
		json_array_foreach(lines, k, l)
		{
			bool one = json_is_true(json_object_get(l, "varies"));
			if (one && !varies++)
				puts("  differs from event to event anyhow:");
			print_line(l);
		}
		if (!json_array_size(lines))
			puts("  no difference");
		if (json_is_true(json_object_get(d, "cut")))
			puts("  more differs than is shown");
	}
}
