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
	m->last = m->known = false;
	m->lines = f->n;
	m->newest = f->newest;
	m->read = m->sample.events;
	m->running = true;
}

/* The program is gone, the documents stay. */
static void forget(struct match *m)
{
	arena_release(&m->mem);
	*m = (struct match){.on = m->on, .sample = m->sample};
}

void match_start(struct match *m, const char *expr)
{
	struct ta_err err = {0};
	forget(m);
	m->on = true;
	if (rule_compile_event(&m->mem, expr, &m->prog, NULL, &err))
		forget(m);
	m->lines = -1; /* the first slice begins */
}

void match_stop(struct match *m)
{
	forget(m);
	sample_release(&m->sample);
	m->on = false;
}

static bool moved(const struct match *m, const struct feed *f)
{
	return m->lines != f->n || m->newest != f->newest ||
	       (m->docs && m->read != m->sample.events);
}

bool match_wants(const struct match *m, const struct feed *f)
{
	return m->prog && (m->running || moved(m, f));
}

static void judge(
	struct match *m, struct feed *probe, const struct data *d, const struct view_row *v)
{
	const struct event *ev = m->docs ? sample_event(&m->sample, v->id) : NULL;
	if (v->id != m->last_id) {
		m->known = ev || !m->docs;
		m->events += m->known;
		m->last_id = v->id;
		m->last = false;
	}
	/* A line is an event at one pixel: the event counts once. */
	if (m->last || !m->known)
		return;
	m->last = ev ? filter_match_event(probe, d, v, ev) : filter_match(probe, d, v, NULL, 0);
	m->matched += m->last;
}

static void say(struct match *m)
{
	char n[32], of[32];
	format_count(m->matched, n);
	format_count(m->events, of);
	if (m->docs && !m->sample.first)
		snprintf(
			m->text, sizeof(m->text), "looks into the events' documents: reading them");
	else
		snprintf(m->text, sizeof(m->text), "matches %s of the last %s events", n, of);
	m->running = false;
}

bool match_slice(struct match *m, const struct feed *f, const struct data *d, int64_t us)
{
	struct feed probe = {.filter = m->prog, .need_docs = m->docs};
	int64_t until = clock_mono_us() + us;
	if (!match_wants(m, f))
		return false;
	if (moved(m, f))
		begin(m, f);
	while (m->next < f->n) {
		int to = TA_MIN(m->next + LINES_A_LOOK, f->n);
		for (; m->next < to && m->docs == probe.need_docs; m->next++)
			judge(m, &probe, d, &f->rows[m->next].v);
		if (probe.need_docs && !m->docs) { /* it does look into them: from the start */
			m->docs = true;
			begin(m, f);
		}
		probe.need_docs = m->docs;
		if (m->next < f->n && clock_mono_us() >= until)
			return false;
	}
	say(m);
	return true;
}
