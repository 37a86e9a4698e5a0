/* The pixels' circuits in the dispatcher: read at start, written when they change, and the slow
 * return of what waited while one was open. */
#include "net/circuits.h"

#include "src/clock.h"
#include "src/log.h"

#include <stdio.h>
#include <string.h>

#define COUNT_US  (5 * US_PER_S) /* failures that change no state are written so often at most */
#define LANES_MAX 8              /* with more ranges than that, what waited stays where it is */

enum ta_rc circuits_load(struct dispatch *d, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct circuit_row *rows = NULL;
	size_t n = 0;
	enum ta_rc rc = TA_OK;
	if (!d->circuits_known) /* later what is in memory is newer */
		rc = circuits_read(d->stage.db, 0, &a, &rows, &n, err);
	for (size_t i = 0; !rc && i < n; i++) {
		struct pixel *p = pixel_find(d, rows[i].pixel_id);
		if (!p)
			continue;
		p->circuit = p->circuit_saved = rows[i].circuit;
		p->circuit_since_us = rows[i].since_us;
		p->error_us = rows[i].error_us;
		snprintf(p->error, sizeof(p->error), "%s", rows[i].error);
		snprintf(p->forced_by, sizeof(p->forced_by), "%s", rows[i].forced_by);
	}
	d->circuits_known = d->circuits_known || !rc;
	arena_release(&a);
	return rc;
}

struct circuit_row circuit_row_of(const struct pixel *p)
{
	return (struct circuit_row){
		.pixel_id = p->row.id,
		.circuit = p->circuit,
		.since_us = p->circuit_since_us,
		.error_us = p->error_us,
		.error = p->error,
		.forced_by = p->circuit.forced_us ? p->forced_by : "",
	};
}

/* Is there something in its circuit that others should see? */
static bool unsaved(const struct pixel *p)
{
	const struct circuit *c = &p->circuit, *s = &p->circuit_saved;
	if (c->until_us != s->until_us || c->forced_us != s->forced_us || c->opened != s->opened)
		return true;
	return c->failures != s->failures && clock_mono_us() - p->circuit_saved_us >= COUNT_US;
}

bool circuits_pending(const struct dispatch *d)
{
	for (size_t i = 0; i < d->npixels; i++)
		if (unsaved(d->pixels[i]))
			return true;
	return false;
}

enum ta_rc circuits_write(struct dispatch *d, int64_t now_us, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < d->npixels; i++) {
		if (!unsaved(d->pixels[i]))
			continue;
		struct circuit_row row = circuit_row_of(d->pixels[i]);
		rc = circuit_write(d->stage.db, &row, now_us, err);
	}
	return rc;
}

void circuits_saved(struct dispatch *d)
{
	for (size_t i = 0; i < d->npixels; i++) {
		struct pixel *p = d->pixels[i];
		if (!unsaved(p))
			continue;
		p->circuit_saved = p->circuit;
		p->circuit_saved_us = clock_mono_us();
	}
}

/* What waited while the circuit was open comes behind live traffic from now on. */
static void step_aside(struct dispatch *d, struct pixel *p)
{
	struct lane *l = pixel_live_lane(p);
	if (!l || l->r.frozen || p->nlanes >= LANES_MAX)
		return;
	l->r.kind = RANGE_BACKLOG;
	l->r.end_id = TA_MAX(d->head, l->r.start_id);
	*VEC_ADD(&d->w, ranges) = (struct range_change){RANGE_OP_UPDATE, l->r};
}

void circuit_worked(struct dispatch *d, struct pixel *p)
{
	int64_t now = clock_now_us();
	enum circuit_state before = circuit_state(&p->circuit, now);
	circuit_ok(&p->circuit, now);
	if (before == CIRCUIT_CLOSED || circuit_state(&p->circuit, now) != CIRCUIT_CLOSED)
		return;
	p->circuit_since_us = now;
	p->recover_us = p->ramp_us = clock_mono_us();
	step_aside(d, p);
	log_info("pixel %s (%d): its circuit is closed, what waited follows slowly", p->row.name,
		(int)p->row.id);
}

void circuit_broke(
	struct dispatch *d, struct pixel *p, int64_t asked_s, uint32_t random, const char *why)
{
	int64_t now = clock_now_us();
	enum circuit_state before = circuit_state(&p->circuit, now);
	circuit_failed(&p->circuit, now, asked_s, random);
	p->error_us = now;
	snprintf(p->error, sizeof(p->error), "%s",
		settle_text(&d->w.mem, why, sizeof(p->error) - 1));
	if (before == CIRCUIT_OPEN || circuit_state(&p->circuit, now) != CIRCUIT_OPEN)
		return;
	if (before == CIRCUIT_CLOSED) {
		p->circuit_since_us = now;
		log_warn("pixel %s (%d): its circuit is open behind %d failures: %s", p->row.name,
			(int)p->row.id, p->circuit.failures, p->error);
	}
	p->recover_us = 0;
}

/* The slow return -------------------------------------------------------------------------------
 */

/* Events a second that the pixel takes at the moment, 0: no limit. */
static int64_t ramp(const struct pixel *p)
{
	return p->recover_us ? circuit_ramp(clock_mono_us() - p->recover_us) : 0;
}

int pixel_slots(const struct pixel *p, int64_t now_us)
{
	int slots = circuit_slots(&p->circuit, now_us, FLYING_MAX);
	if (ramp(p))
		slots = TA_MIN(
			slots, circuit_ramp_slots(clock_mono_us() - p->recover_us, FLYING_MAX));
	return slots;
}

size_t pixel_batch(const struct pixel *p, int64_t now_us)
{
	size_t most = TA_MIN((size_t)BATCH_MAX, p->platform->batch);
	int64_t rate = ramp(p);
	if (circuit_state(&p->circuit, now_us) == CIRCUIT_HALF_OPEN)
		most = TA_MIN(most, (size_t)CIRCUIT_PROBE);
	return rate ? TA_MIN(most, (size_t)TA_MAX(rate / 4, 1)) : most; /* four portions a second */
}

int64_t pixel_ramp_wait(const struct pixel *p)
{
	return ramp(p) ? TA_MAX(p->ramp_us - clock_mono_us(), 0) : 0;
}

void pixel_ramp_took(struct pixel *p, size_t n)
{
	int64_t rate = ramp(p), now = clock_mono_us();
	if (rate)
		p->ramp_us = TA_MAX(p->ramp_us, now - US_PER_S / 4) + (int64_t)n * US_PER_S / rate;
	else
		p->recover_us = 0;
}
