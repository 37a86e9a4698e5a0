/* Canaries (db/canary.h) are read and asked for like any event, and written apart from the books:
 * no event, no route, no count, no order. */
#include "db/canary.h"
#include "net/router_batch.h"
#include "src/buf.h"
#include "src/lz.h"

#include <stdlib.h>
#include <string.h>

#define DOC_MAX (1u << 20)

void batch_take_canaries(struct batch *b)
{
	size_t kept = 0;
	b->canaries = arena_alloc(b->a, (b->nreadings + 1) * sizeof(*b->canaries));
	for (size_t i = 0; i < b->nreadings; i++)
		if (b->readings[i].r->source == SOURCE_CANARY)
			b->canaries[b->ncanaries++] = b->readings[i];
		else
			b->readings[kept++] = b->readings[i];
	b->nreadings = kept;
}

/* The number in its event_id, 0 when it is none of ours. */
static int64_t number_of(const struct reading *rd)
{
	const char *id =
		rd->in.failure || rd->in.nevents != 1 ? NULL : rd->in.events[0].ev.event_id;
	if (!id || strncmp(id, CANARY_ID, strlen(CANARY_ID)) != 0)
		return 0;
	return strtoll(id + strlen(CANARY_ID), NULL, 10);
}

static struct canary_pixel *decide(struct batch *b, const struct route_case *c, size_t n)
{
	struct canary_pixel *out = arena_alloc(b->a, (n + 1) * sizeof(*out));
	struct route_decision *d = arena_alloc(b->a, (n + 1) * sizeof(*d));
	if (n)
		route_decide_all(c, d, NULL, b->a);
	for (size_t i = 0; i < n; i++)
		out[i] = (struct canary_pixel){.pixel_id = c->pixel[i].id,
			.decision = (int)d[i].to,
			.reason = (int)d[i].reason,
			.rule_id = d[i].rule_id,
			.rule_version = d[i].rule_version};
	return out;
}

static enum ta_rc write_one(struct batch *b, const struct reading *rd, struct ta_err *err)
{
	int64_t id = number_of(rd);
	struct buf text = BUF_INIT(DOC_MAX);
	size_t n = 0;
	if (id <= 0)
		return TA_OK; /* its end says that the router made nothing of it */
	const struct event *ev = &rd->in.events[0].ev;
	const struct route_pixel *pixels = catalog_pixels(b->cat, rd->store->id, &n);
	const struct route_case c = {ev, rd->store, pixels, rd->r->received_us, id};
	event_write(&text, ev);
	void *doc = arena_alloc(b->a, lz_bound(text.len));
	const struct canary_routing r = {.id = id,
		.store_id = rd->store->id,
		.doc = {doc, lz_pack(buf_str(&text), text.len, doc)},
		.pixels = decide(b, &c, n),
		.n = n};
	buf_release(&text);
	return canary_routed(b->db, &r, err);
}

enum ta_rc batch_write_canaries(struct batch *b, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (size_t i = 0; !rc && i < b->ncanaries; i++)
		rc = write_one(b, &b->canaries[i], err);
	return rc;
}
