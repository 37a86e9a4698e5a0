#include "ui/replay_view.h"

#include "src/buf.h"
#include "src/words.h"
#include "ui/format.h"
#include "ui/inspect.h"

#include <stdio.h>
#include <string.h>

static void add(struct replay_view *v, enum style st, const char *label, const char *text)
{
	textview_add(&v->text, st, label, text);
}

static const char *left_out(enum replay_fate f)
{
	static const char *const words[REPLAY_FATES] = {[REPLAY_SEND] = "",
		[REPLAY_OPEN_YET] = "not final yet",
		[REPLAY_BUSY] = "in another replay",
		[REPLAY_LATE] =
			"older than the platform takes (l sends them: they will be rejected)",
		[REPLAY_DUPLICATE] =
			("delivered, and the platform has forgotten the id: it would count them "
			 "twice (d counts them twice)"),
		[REPLAY_DROPPED] = "not to be sent by the rules",
		[REPLAY_UNFIT] = "would be rejected",
		[REPLAY_GONE] = "the document or the settings of then are not kept any more",
		[REPLAY_DELETED] = "their pixel is deleted"};
	return words[f];
}

static void how(struct replay_view *v)
{
	int rate = replay_rates[v->rate];
	add(v, ST_TEXT, "versions",
		v->mode == REPLAY_CURRENT
			? "the rules and settings in force now (m: those of last time, byte for byte)"
			: "pinned: the rules and settings of last time (m: those in force now)");
	add(v, ST_TEXT, "speed",
		rate ? arena_fmt(&v->mem, "%d a second at each pixel, behind live traffic (+ -)",
			       rate)
		     : "no limit, behind live traffic (-)");
}

/* "10 rejected, 2 dead". */
static const char *states(struct replay_view *v, const struct replay_plan *p)
{
	struct buf b = BUF_INIT(1000);
	for (int s = 0; s < DISP_COUNT; s++) {
		int64_t n = 0;
		for (size_t i = 0; i < p->npixels; i++)
			n += p->pixels[i].states[s];
		if (n)
			buf_addf(&b, "%s%lld %s", b.len ? ", " : "", (long long)n,
				disposition_word(s));
	}
	const char *s = arena_strdup(&v->mem, buf_str(&b));
	buf_release(&b);
	return s;
}

static void sums(struct replay_view *v, const struct replay_plan *p)
{
	int64_t changed = 0, same = 0, first = 0, merged = 0;
	for (size_t i = 0; i < p->npixels; i++) {
		changed += p->pixels[i].changed;
		same += p->pixels[i].same;
		first += p->pixels[i].first;
		merged += p->pixels[i].merged;
	}
	add(v, ST_TEXT, "chosen",
		arena_fmt(&v->mem, "%lld deliveries of %lld events: %s", (long long)p->chosen,
			(long long)p->events, states(v, p)));
	add(v, p->send ? ST_STRONG : ST_WARN, "to send",
		arena_fmt(&v->mem,
			"%lld: %lld differ from last time, %lld are the same bytes, %lld were never sent",
			(long long)p->send, (long long)changed, (long long)same, (long long)first));
	for (int f = 1; f < REPLAY_FATES; f++) {
		int64_t n = 0;
		for (size_t i = 0; i < p->npixels; i++)
			n += p->pixels[i].fates[f];
		if (n)
			add(v, ST_WARN, "left out",
				arena_fmt(&v->mem, "%lld: %s", (long long)n,
					left_out((enum replay_fate)f)));
	}
	if (merged)
		add(v, ST_TEXT, " ",
			arena_fmt(&v->mem,
				"%lld were delivered lately: the platform knows the id and drops them",
				(long long)merged));
	if (p->twice)
		add(v, ST_BAD, "twice",
			arena_fmt(&v->mem,
				"! %lld were delivered longer ago than the platform remembers: %s",
				(long long)p->twice,
				v->duplicates        ? "they WILL be counted twice (d)"
				: v->skip_duplicates ? "they are left out (d)"
						     : "leave them out, or count them twice (d)"));
}

static void pixels(struct replay_view *v, const struct replay_plan *p)
{
	for (size_t i = 0; i < p->npixels; i++) {
		const struct replay_pixel *px = &p->pixels[i];
		struct buf b = BUF_INIT(2000);
		for (size_t k = 0; k < px->nfields && k < 5; k++)
			buf_addf(&b, "%s%s (%lld)", k ? ", " : "; differs in ", px->fields[k].path,
				(long long)px->fields[k].n);
		add(v, px->held ? ST_WARN : ST_TEXT, i ? " " : "pixels",
			arena_fmt(&v->mem, "%s/%s (%s): %lld of %lld%s%s", px->store, px->name,
				platform_word((int)px->platform), (long long)px->fates[REPLAY_SEND],
				(long long)px->chosen,
				px->held ? "; it is held: they wait for its release" : "",
				buf_str(&b)));
		buf_release(&b);
	}
}

static const char *value(struct replay_view *v, const char *path, const char *json)
{
	return json ? inspect_value(&v->mem, path, json) : "nothing";
}

static void examples(struct replay_view *v, const struct replay_plan *p)
{
	for (size_t i = 0; i < p->nexamples; i++) {
		const struct replay_example *x = &p->examples[i];
		bool send = x->item->fate == REPLAY_SEND;
		add(v, ST_STRONG, i ? " " : "examples",
			arena_fmt(&v->mem, "%s %s at %s, %s now%s%s", x->event_name, x->label,
				x->pixel, disposition_word(x->item->state),
				send ? "" : ": left out, ",
				send        ? ""
				: *x->words ? x->words
					    : left_out((enum replay_fate)x->item->fate)));
		for (size_t k = 0; send && k < x->nchanges && k < 8; k++)
			add(v, ST_TEXT, " ",
				arena_fmt(&v->mem, "  %s: %s %s %s", x->changes[k].path,
					value(v, x->changes[k].path, x->changes[k].was),
					theme_glyph(GL_ARROW),
					value(v, x->changes[k].path, x->changes[k].now)));
	}
}

static void progress(struct replay_view *v)
{
	const struct replay_row *r = &v->row;
	if (!v->has_row)
		return;
	add(v, ST_STRONG, "state", replay_state_word(r->state));
	add(v, ST_OK, "delivered", arena_fmt(&v->mem, "%lld", (long long)TA_MAX(r->delivered, 0)));
	add(v, r->failed > 0 ? ST_BAD : ST_TEXT, "failed",
		arena_fmt(&v->mem, "%lld%s", (long long)TA_MAX(r->failed, 0),
			r->failed > 0 ? ": rejected or dead again; D lists them with the reasons"
				      : ""));
	add(v, ST_TEXT, "under way", arena_fmt(&v->mem, "%lld", (long long)TA_MAX(r->open, 0)));
	if (r->passed_over > 0)
		add(v, ST_WARN, "passed over",
			arena_fmt(&v->mem, "%lld: their time was over, or they moved meanwhile",
				(long long)r->passed_over));
	if (!v->over)
		add(v, ST_TEXT, "", "X ends it: what is under way goes through, the rest stays");
}

void replay_text(struct replay_view *v)
{
	int top = v->text.top;
	textview_clear(&v->text);
	arena_clear(&v->mem);
	if (*v->error)
		add(v, ST_BAD, "", arena_fmt(&v->mem, "%s %s", theme_glyph(GL_BAD), v->error));
	if (*v->said)
		add(v, ST_TEXT, "", v->said);
	if (v->id) {
		add(v, ST_TEXT, "replay", arena_fmt(&v->mem, "%lld", (long long)v->id));
		progress(v);
	} else if (v->plan) {
		const struct replay_plan *p = &v->plan->plan;
		if (v->plan->check.rc)
			add(v, ST_WARN, "",
				arena_fmt(&v->mem, "%s %s", theme_glyph(GL_WARN),
					v->plan->check.msg));
		how(v);
		sums(v, p);
		pixels(v, p);
		examples(v, p);
	}
	v->text.top = TA_MIN(top, TA_MAX(v->text.n - 1, 0));
}
