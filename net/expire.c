/* What can no longer arrive: retries past their deadline and repeats past the platform's dedup
 * window end at that moment, also at a pixel that is held or whose circuit is open. */
#include "net/circuits.h"
#include "src/backoff.h"
#include "src/clock.h"

/* Repeats of unknown outcome that wait for a slot. */
static void expire_ready(struct pixel *p, int64_t now, struct batches *out)
{
	struct batches keep;
	struct batch *b;
	batches_init(&keep);
	while ((b = batches_take(&p->ready))) {
		int64_t until = backoff_repeat_until_us(b->first_sent_us, p->platform->dedup_s);
		batches_add(b->pinned && now >= until ? out : &keep, b);
	}
	while ((b = batches_take(&keep)))
		batches_add(&p->ready, b);
}

/* Rows of one pixel as a batch that only gets verdicts; what was read ahead is old now. */
static void expire_rows(
	struct dispatch *d, const struct delivery_retry *rows, size_t n, struct batches *out)
{
	for (size_t i = 0; i < n; i++) {
		struct pixel *p = pixel_find(d, rows[i].pixel_id);
		if (!p)
			continue;
		struct batch *b = batch_new(p, 1);
		b->ev[0] = (struct batch_event){.id = rows[i].event_id,
			.run = rows[i].run,
			.tries = TA_MAX(rows[i].tries, (int16_t)1)};
		b->retried = b->over = true;
		b->pinned = rows[i].first_sent_us != 0;
		b->first_sent_us = rows[i].first_sent_us;
		b->version = p->row.version;
		batches_add(out, b);
		p->nretries = p->next_retry = 0;
		d->next_retry_us = 0;
	}
}

enum ta_rc expire(struct dispatch *d, struct batches *out, struct ta_err *err)
{
	static struct delivery_retry rows[DELIVERY_EXPIRING];
	int64_t now = clock_now_us();
	size_t n = 0, over = 0;
	if (now < d->next_deadline_us)
		return TA_OK;
	for (size_t i = 0; i < d->npixels; i++)
		if (d->pixels[i]->ready.first)
			expire_ready(d->pixels[i], now, out);
	enum ta_rc rc = delivery_retries_expiring(d->stage.db, rows, &n, err);
	if (rc)
		return rc;
	while (over < n && rows[over].deadline_us <= now)
		over++;
	d->next_deadline_us = over < n ? rows[over].deadline_us : INT64_MAX;
	if (over == DELIVERY_EXPIRING)
		d->next_deadline_us = 0;
	expire_rows(d, rows, over, out);
	return TA_OK;
}
