/* Pairs: who told of an event, the shop's page or its server, and whether both did under one id. */
#include "net/router_batch.h"
#include "src/clock.h"

static bool counted(const struct event *ev)
{
	return !ev->test && !ev->order.test;
}

void batch_told(struct batch *b, const struct reading *rd, const struct event *ev)
{
	enum tally_pair side = ev->source == SOURCE_BROWSER ? PAIR_BROWSER : PAIR_SERVER;
	if (counted(ev))
		batch_tally(b, (struct tally_place){rd->r->received_us, rd->r->store_id, 0},
			TALLY_PAIR, (int)ev->name * 4 + (int)side, NULL);
}

void batch_paired(struct batch *b, int32_t store_id, const struct event *ev, int64_t first_us)
{
	if (!counted(ev))
		return;
	batch_tally(b, (struct tally_place){first_us, store_id, 0}, TALLY_PAIR,
		(int)ev->name * 4 + (int)PAIR_BOTH, NULL);
	batch_tally(b, (struct tally_place){b->now_us, store_id, 0}, TALLY_PAIR_LAG,
		latency_bin((b->now_us - first_us) / 1000), NULL);
}

void batch_refund_settled(struct batch *b, int32_t store_id, enum tally_refund how)
{
	batch_tally(b, (struct tally_place){b->now_us, store_id, 0}, TALLY_REFUND, (int)how, NULL);
}
