#include "ui/inspect.h"

#include "src/payload_diff.h"
#include "ui/format.h"

#include <string.h>

struct page {
	struct inspect *in;
	const struct data *d;
	struct arena *a;
};

static void add(struct page *p, enum style st, const char *label, const char *text)
{
	textview_add(&p->in->text, st, label, text);
}

/* The newest exchange with the pixel, and what came of it for this event. */
static const struct view_attempt *sent_last(const struct inspect *in)
{
	for (size_t i = 0; i < in->nattempts; i++)
		if (in->attempts[i].pixel_id == in->pixel_id && in->attempts[i].own)
			return &in->attempts[i];
	return NULL;
}

static const struct view_verdict *verdict_of(const struct inspect *in, int64_t attempt_id)
{
	for (size_t i = 0; i < in->nverdicts; i++)
		if (in->verdicts[i].pixel_id == in->pixel_id &&
			in->verdicts[i].attempt_id == attempt_id)
			return &in->verdicts[i];
	return NULL;
}

static const struct good *good_of(const struct inspect *in)
{
	for (size_t i = 0; i < in->ngoods; i++)
		if (in->goods[i].pixel_id == in->pixel_id)
			return &in->goods[i];
	return NULL;
}

static const char *clock_text(const struct page *p, int64_t us)
{
	char t[16];
	format_time(us, p->d->now_us, t);
	return arena_strdup(p->a, t);
}

static void head(struct page *p, const struct view_attempt *at, const struct view_verdict *v,
	const struct good *g)
{
	const struct view_pixel *px = data_pixel(p->d, p->in->pixel_id);
	add(p, ST_TEXT, "sent",
		arena_fmt(p->a, "to %s (%s) at %s: %s", px->name, platform_word(px->platform),
			clock_text(p, at->at_us), v ? disposition_word(v->after) : at->class));
	if (v && *v->message && v->after != DISP_DELIVERED)
		add(p, ST_BAD, "says",
			arena_fmt(p->a, "%s%s%s", v->code, *v->code ? ": " : "", v->message));
	if (g && g->own)
		add(p, ST_TEXT, "against",
			arena_fmt(p->a, "event %llx%s%s, delivered %s%s",
				(unsigned long long)g->event_id, *g->label ? " " : "", g->label,
				clock_text(p, g->at_us),
				g->event_id > p->in->id ? ", later than this one" : ""));
	else if (p->in->good_failed)
		add(p, ST_WARN, "against", "looking for the last good one took too long");
	else if (p->in->good_id != p->in->id)
		add(p, ST_TEXT, "against", "the last good one is being looked for");
	else
		add(p, ST_TEXT, "against",
			g ? "what was sent of the last good one is no longer kept"
			  : "no event of this name was taken by this pixel near this one");
}

static const char *value(
	const struct page *p, const struct payload_line *l, const char *json, const char *look)
{
	if (!json)
		return "nothing";
	if (l->change == PAYLOAD_COUNT)
		return arena_fmt(p->a, "%s in the list", json);
	if (*json == '{' || *json == '[')
		return look;
	const char *text = inspect_value(p->a, l->path, json);
	return arena_fmt(p->a, "%s%s%s", look, *look ? "  " : "", text);
}

static void two_values(struct page *p, const struct payload_line *l)
{
	if (!l->now && !l->before)
		return; /* nobody has it */
	add(p, ST_TEXT, "", arena_fmt(p->a, "    now   %s", value(p, l, l->now, l->now_look)));
	if (l->before || (l->change != PAYLOAD_SAME && p->in->ngoods))
		add(p, ST_TEXT, "",
			arena_fmt(p->a, "    good  %s", value(p, l, l->before, l->before_look)));
}

/* A mark, and words that say the same: '!' the complaint, '+' '-' '~' the difference. */
static void line(struct page *p, const struct payload_line *l)
{
	static const char *const words[] = {"is missing", "is new", "has another type",
		"looks different", "differs", "is a list of another length", "is the same"};
	const char *now = value(p, l, l->now, l->now_look);
	const char *before = value(p, l, l->before, l->before_look);
	if (l->blamed) {
		add(p, ST_BAD, "",
			arena_fmt(p->a, "! %s: %s", l->path, complaint_text(l->problem)));
		two_values(p, l);
	} else if (l->varies) {
		add(p, ST_TEXT, "",
			arena_fmt(p->a, "  %s: %s, was %s", l->path, value(p, l, l->now, ""),
				value(p, l, l->before, "")));
	} else if (l->change == PAYLOAD_MISSING) {
		add(p, ST_WARN, "",
			arena_fmt(p->a, "- %s is missing; the good one has %s", l->path, before));
	} else if (l->change == PAYLOAD_ADDED) {
		add(p, ST_WARN, "", arena_fmt(p->a, "+ %s is new: %s", l->path, now));
	} else {
		add(p, ST_WARN, "", arena_fmt(p->a, "~ %s %s", l->path, words[l->change]));
		two_values(p, l);
	}
}

static void lines(struct page *p, const struct payload_diff *diff, bool compared)
{
	size_t rest = diff->n - diff->nvaries;
	if (compared || rest)
		add(p, ST_TEXT, "", "");
	for (size_t i = 0; i < rest; i++)
		line(p, &diff->lines[i]);
	if (compared && !rest)
		add(p, ST_TEXT, "", "Nothing differs but what differs from event to event:");
	else if (diff->nvaries)
		add(p, ST_STRONG, "", "What differs from event to event anyhow:");
	for (size_t i = rest; i < diff->n; i++)
		line(p, &diff->lines[i]);
	if (diff->cut)
		add(p, ST_TEXT, "", "more differs than is shown");
}

void inspect_diff(struct inspect *in, const struct data *d, struct arena *a)
{
	struct page p = {in, d, a};
	struct payload_diff diff;
	const struct view_pixel *px = data_pixel(d, in->pixel_id);
	const struct view_attempt *at = sent_last(in);
	const struct good *g = good_of(in);
	if (!at || !px) {
		add(&p, ST_TEXT, "", "nothing was sent to this pixel for this event");
		return;
	}
	const struct view_verdict *v = verdict_of(in, at->id);
	bool complains = v && v->after != DISP_DELIVERED;
	const struct payload_case c = {.platform = (enum platform_id)px->platform,
		.now = at->own,
		.nnow = at->nown,
		.good = g ? g->own : NULL,
		.ngood = g ? g->nown : 0,
		.code = complains ? v->code : NULL,
		.message = complains ? v->message : NULL,
		.response = at->response,
		.nresponse = TA_MIN(at->nresponse, (size_t)VIEW_BODY)};
	payload_diff(&c, a, &diff);
	head(&p, at, v, g);
	if (complains && !diff.nblamed)
		add(&p, ST_TEXT, "", "its words name no field");
	lines(&p, &diff, g && g->own);
}
