#include "db/retry_order.h"

#include "db/conn.h"
#include "db/column.h"
#include "src/buf.h"
#include "src/circuit.h"
#include "src/clock.h"

#include <jansson.h>
#include <string.h>

void retry_order_args(const struct retry_pick *v, size_t n, bool force, struct buf *out)
{
	buf_adds(out, "{\"deliveries\":[");
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s[%lld,%d]", i ? "," : "", (long long)v[i].event_id,
			(int)v[i].pixel_id);
	buf_addf(out, "]%s}", force ? ",\"force\":true" : "");
}

/* The counts by name, in the answer and for programs. */
static const char *const counts[] = {
	"retried", "behind_circuit", "under_way", "held", "not_waiting"};

static int64_t *count_at(struct retry_answer *a, size_t i)
{
	int64_t *const at[] = {&a->retried, &a->behind, &a->under_way, &a->held, &a->not_waiting};
	return at[i];
}

void retry_answer_add(struct retry_answer *sum, const char *text)
{
	json_t *o = json_loads(text, 0, NULL);
	for (size_t i = 0; i < TA_COUNT(counts); i++)
		*count_at(sum, i) += json_integer_value(json_object_get(o, counts[i]));
	int64_t until = json_integer_value(json_object_get(o, "circuit_us"));
	sum->circuit_us = TA_MAX(sum->circuit_us, until);
	sum->by_hand = sum->by_hand || json_is_true(json_object_get(o, "by_hand"));
	sum->probed = sum->probed || json_is_true(json_object_get(o, "probed"));
	json_decref(o);
}

void retry_answer_json(const struct retry_answer *a, struct buf *out)
{
	struct retry_answer copy = *a;
	for (size_t i = 0; i < TA_COUNT(counts); i++)
		buf_addf(out, "%s\"%s\":%lld", i ? "," : "{", counts[i],
			(long long)*count_at(&copy, i));
	buf_addf(out, ",\"circuit_us\":%lld,\"by_hand\":%s,\"probed\":%s}",
		(long long)a->circuit_us, a->by_hand ? "true" : "false",
		a->probed ? "true" : "false");
}

static void part(struct buf *out, int64_t n, const char *text)
{
	if (n)
		buf_addf(out, "%s%lld %s", out->len ? "; " : "", (long long)n, text);
}

void retry_answer_text(const struct retry_answer *a, struct buf *out)
{
	bool probe = a->probed && !a->by_hand;
	char at[32];
	part(out, a->retried - a->behind, "are tried now");
	part(out, a->behind,
		probe ? "go with the probe of their circuit, now" : "wait for their circuit");
	if (a->behind && a->by_hand)
		buf_adds(out,
			", held open by hand: trackai pixel circuit PIXEL close lets it probe");
	else if (a->behind && !probe) {
		clock_format(a->circuit_us / US_PER_S * US_PER_S, at);
		buf_addf(out, ", open until %s; --force probes now", at);
	}
	part(out, a->under_way, "are on the wire already");
	part(out, a->held, "are at a held pixel: release it first (trackai pixel release)");
	part(out, a->not_waiting,
		"do not wait for an attempt; what is final goes again by trackai delivery replay");
	if (!out->len)
		buf_adds(out, "nothing waits for another attempt");
}

enum ta_rc retry_order_now(
	struct db *db, const struct retry_pick *v, size_t n, bool *took, struct ta_err *err)
{
	TA_CLEANUP(db_clear) PGresult *r = NULL;
	struct db_args a = DB_ARGS_INIT;
	DB_COLUMN(&a, v, n, event_id);
	DB_COLUMN(&a, v, n, pixel_id);
	db_arg_i64(&a, clock_now_us());
	enum ta_rc rc = db_read(db,
		"UPDATE retry SET due_us = -$3 FROM unnest($1::bigint[], $2::int[]) WITH ORDINALITY "
		"u(e, p, i) WHERE event_id = u.e AND pixel_id = u.p AND deadline_us > $3 RETURNING u.i",
		&a, &r, err);
	memset(took, 0, n * sizeof(*took));
	for (int i = 0; !rc && i < db_rows(r); i++)
		took[db_i64(r, i, 0) - 1] = true;
	return rc;
}
