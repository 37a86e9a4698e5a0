#include "ui/match.h"

#include "src/clock.h"
#include "ui/filter.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

#define LINES_A_LOOK 32 /* between two looks at the clock */

static void begin(struct match *m, const struct feed *f)
{
	m->next = m->events = m->matched = 0;
	m->last_id = 0;
	m->last = m->docs = false;
	m->lines = f->n;
	m->newest = f->newest;
	m->running = true;
}

void match_start(struct match *m, const char *expr)
{
	struct ta_err err = {0};
	match_stop(m);
	if (rule_compile_event(&m->mem, expr, &m->prog, NULL, &err))
		match_stop(m);
	m->lines = -1; /* the first slice begins */
}

void match_stop(struct match *m)
{
	arena_release(&m->mem);
	*m = (struct match){0};
}

bool match_wants(const struct match *m, const struct feed *f)
{
	return m->prog && (m->running || m->lines != f->n || m->newest != f->newest);
}

static void judge(
	struct match *m, struct feed *probe, const struct data *d, const struct view_row *v)
{
	if (v->id != m->last_id) {
		m->events++;
		m->last_id = v->id;
		m->last = false;
	}
	/* A line is an event at one pixel: the event counts once. */
	if (m->last || !filter_match(probe, d, v, NULL, 0))
		return;
	m->last = true;
	m->matched++;
}

static void say(struct match *m)
{
	char n[32], of[32];
	format_count(m->matched, n);
	format_count(m->events, of);
	if (m->docs)
		snprintf(m->text, sizeof(m->text),
			"asks for more than the stream's lines hold: not counted while typing");
	else
		snprintf(m->text, sizeof(m->text), "matches %s of the last %s events", n, of);
	m->running = false;
}

bool match_slice(struct match *m, const struct feed *f, const struct data *d, int64_t us)
{
	struct feed probe = {.filter = m->prog};
	int64_t until = clock_mono_us() + us;
	if (!match_wants(m, f))
		return false;
	if (m->lines != f->n || m->newest != f->newest)
		begin(m, f);
	while (m->next < f->n && !m->docs) {
		int to = TA_MIN(m->next + LINES_A_LOOK, f->n);
		for (; m->next < to; m->next++)
			judge(m, &probe, d, &f->rows[m->next].v);
		m->docs = probe.need_docs;
		if (m->next < f->n && clock_mono_us() >= until)
			return false;
	}
	say(m);
	return true;
}
