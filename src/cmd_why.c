#include "src/cmd_why.h"

#include "db/cause.h"
#include "db/health.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/reply.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 2000

enum ta_rc why_read(struct db *db, const struct health_row *row, struct arena *a, struct why *out,
	struct ta_err *err)
{
	*out = (struct why){.store = row->store,
		.pixel = row->pixel,
		.found = arena_alloc(a, CAUSES * sizeof(*out->found))};
	return cause_read(db, row->pixel_id, clock_now_us(), out->found, &out->n, err);
}

static json_t *next_json(const struct why *w, enum cause c)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	cause_next(c, w->store, w->pixel, &b);
	json_t *text = json_string(buf_str(&b));
	buf_release(&b);
	return text;
}

static json_t *found_json(const struct why *w, const struct cause_found *f)
{
	json_t *events = json_array();
	for (int k = 0; k < f->nevents; k++)
		json_array_append_new(events, out_id(f->events[k]));
	return json_pack(
		"{s:s, s:s, s:f, s:I, s:I, s:f, s:f, s:f, s:s, s:s, s:o, s:o, s:o, s:o, s:o}",
		"cause", cause_row(f->cause)->word, "level", health_status_word(f->level), "score",
		f->score, "count", (json_int_t)f->k, "n", (json_int_t)f->n, "share", f->share, "lo",
		f->lo, "hi", f->hi, "meaning", f->meaning, "evidence", f->evidence, "first",
		out_time(f->first_us), "last", out_time(f->last_us), "next", next_json(w, f->cause),
		"because", f->by == CAUSE_NONE ? json_null() : json_string(cause_row(f->by)->word),
		"events", events);
}

json_t *why_json(const struct why *w)
{
	json_t *all = json_array();
	for (size_t i = 0; i < w->n; i++)
		json_array_append_new(all, found_json(w, &w->found[i]));
	return all;
}

static void print_found(const struct why *w, size_t i)
{
	const struct cause_found *f = &w->found[i];
	struct buf evidence = BUF_INIT(TEXT_MAX), next = BUF_INIT(TEXT_MAX);
	out_clean(&evidence, f->evidence);
	cause_next(f->cause, w->store, w->pixel, &next);
	printf("%2zu. %s (%.0f): %s\n    %s\n", i + 1, cause_row(f->cause)->word, f->score,
		f->meaning, buf_str(&evidence));
	if (f->by != CAUSE_NONE)
		printf("    a consequence of %s\n", cause_row(f->by)->word);
	for (int k = 0; k < f->nevents; k++)
		printf("%s %lld%s", k ? "," : "    for example event", (long long)f->events[k],
			k + 1 == f->nevents ? "\n" : "");
	printf("    next: %s\n", buf_str(&next));
	buf_release(&evidence);
	buf_release(&next);
}

void why_print(const struct why *w)
{
	printf("\ncauses%s\n", w->n ? "" : ": nothing speaks for any");
	for (size_t i = 0; i < w->n; i++)
		print_found(w, i);
}

enum ta_rc why_code(const char *code, bool json, struct ta_err *err)
{
	static const char *const classes[] = {[REPLY_BATCH] = "refuses the event",
		[REPLY_AUTH] = "pauses the pixel",
		[REPLY_CONFIG] = "pauses the pixel",
		[REPLY_RETRY] = "is tried again"};
	char word[20];
	size_t n = strcspn(code, ":");
	snprintf(word, sizeof(word), "%.*s", (int)TA_MIN(n, sizeof(word) - 1), code);
	int platform = platform_of(word);
	if (!code[n] || platform < 0)
		return ta_fail(err, TA_USAGE,
			"--code: write the platform and its code, as in meta:190/463 or tiktok:40002");
	const struct reply *r = reply_find_text((enum platform_id)platform, code + n + 1);
	if (!r)
		return ta_fail(err, TA_NOTFOUND,
			"nothing is known of %s's code %.40s; trackai event show ID has the platform's "
			"own words",
			word, code + n + 1);
	const char *cause = cause_row(cause_of_reply(r))->word;
	if (json)
		out_json(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "platform", word, "code",
			code + n + 1, "cause", cause, "meaning", r->cause, "class",
			classes[r->class], "next", r->remedy));
	else
		printf("%s: %s\n%s; cause %s\nnext: %s\n", code, r->cause, classes[r->class], cause,
			r->remedy);
	return TA_OK;
}
