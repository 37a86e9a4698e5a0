/* POST /event/track: events of servers and browsers. Each accepted item is a receipt of its own;
 * one bad item never refuses the others. */
#include "net/auth.h"
#include "net/in_track.h"
#include "net/keeper.h"
#include "net/limit.h"
#include "net/request.h"
#include "net/route.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/jsonw.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MAX 65536

void api_track_preflight(struct request *req)
{
	request_json(req, 204, "");
	request_add_header(req, "Access-Control-Allow-Methods", "POST, OPTIONS");
	request_add_header(req, "Access-Control-Allow-Headers", "Content-Type");
	request_add_header(req, "Access-Control-Max-Age", "86400");
	req->cors = true;
}

/* The key that may send this, NULL when the request was answered. */
static const struct caller_key *authorise(struct request *req, bool *browser)
{
	const struct callers *callers = request_callers(req);
	const char *secret = auth_bearer(request_header(req, "Authorization"));
	const char *public = request_query(req, "k");
	*browser = !secret;
	req->cors = *browser;
	if (!callers) {
		request_busy(req, "the database cannot be reached; try again in a few seconds");
		return NULL;
	}
	const char *given = secret ? secret : public;
	const struct caller_key *key = given ? auth_key(callers, given) : NULL;
	if (!given)
		request_error(req, 401,
			"no key: send Authorization: Bearer KEY, or from a browser ?k=PUBLIC");
	else if (!key)
		request_error(req, 401, "the key is unknown or revoked");
	else if (!auth_may_track(key, *browser))
		request_error(req, 401,
			"this kind of key cannot send events here: ?k= takes a public key, "
			"Authorization one of scope track, write or admin");
	else
		return key;
	return NULL;
}

/* False: the sender was told to wait. */
static bool within_limits(struct request *req, const struct caller_key *key, size_t items)
{
	char remote[64], seconds[16];
	request_remote(req, remote);
	int wait = limits_take(request_limits(req), key->store_id, remote, items, clock_mono_us());
	if (!wait)
		return true;
	request_error(req, 429, "too many events from this address; try again in %d s", wait);
	snprintf(seconds, sizeof(seconds), "%d", wait);
	request_add_header(req, "Retry-After", seconds);
	return false;
}

/* {"accepted":N,"results":[{"status":…},…]}, in the order of the items. */
static void answer(struct request *req, const struct job *j)
{
	const struct track_batch *batch = j->detail;
	struct buf b = BUF_INIT(ANSWER_MAX);
	size_t row = 0, accepted = 0;
	for (size_t i = 0; i < j->n; i++)
		accepted += j->rows[i].stored;
	buf_addf(&b, "{\"accepted\":%zu,\"results\":[", accepted);
	for (size_t i = 0; i < batch->n; i++) {
		const char *error = batch->items[i].error;
		struct jsonw w = JSONW_INIT(&b);
		if (i)
			buf_addc(&b, ',');
		jsonw_open(&w, NULL, '{');
		jsonw_str(&w, "status",
			error                 ? "rejected"
			: j->rows[row].stored ? "accepted"
					      : "duplicate");
		jsonw_str(&w, "error", error);
		jsonw_close(&w, '}');
		row += !error;
	}
	buf_adds(&b, "]}");
	request_json(req, 200, buf_str(&b));
	buf_release(&b);
}

static void stored(struct request *req)
{
	answer(req, req->job);
}

/* Many senders look at nothing but HTTP 200: what was refused inside of it is kept as bounded
 * evidence, so that the pixel's health can say why events are missing. */
static void keep_refused(
	struct request *req, const struct track_item *item, const struct inbox_row *common)
{
	struct inbox_refused r = {.at_us = common->received_us};
	snprintf(r.domain, sizeof(r.domain), "store %d", (int)common->store_id);
	snprintf(r.topic, sizeof(r.topic), "track");
	snprintf(r.remote, sizeof(r.remote), "%s", common->remote);
	snprintf(r.reason, sizeof(r.reason), "item: %s", item->error);
	r.nhead = TA_MIN(item->len, sizeof(r.head));
	if (r.nhead)
		memcpy(r.head, item->bytes, r.nhead);
	crypto_sha256(r.head, r.nhead, r.hash);
	keeper_refused(request_keeper(req), &r);
}

static void fill_row(struct job *j, const struct track_item *item, const struct inbox_row *common)
{
	struct inbox_row *row = &j->rows[j->n++];
	*row = *common;
	row->topic = event_word((int)item->name);
	row->webhook_id = item->event_id;
	job_body(j, row, item->bytes, item->len);
	receipt_key(row);
}

static void store(struct request *req, struct job *j, const struct track_batch *batch,
	const struct inbox_row *common)
{
	j->rows = arena_alloc(&j->mem, batch->n * sizeof(*j->rows));
	for (size_t i = 0; i < batch->n; i++)
		if (batch->items[i].error)
			keep_refused(req, &batch->items[i], common);
		else
			fill_row(j, &batch->items[i], common);
	if (j->n) {
		request_store(req, j, stored);
		return;
	}
	answer(req, j);
	job_free(j);
}

void api_track(struct request *req)
{
	bool browser;
	struct ta_err err;
	const struct caller_key *key = authorise(req, &browser);
	/* One event is paid for before parsing, so that a flood costs no parser; the rest after. */
	if (!key || (browser && !within_limits(req, key, 1)))
		return;
	struct job *j = job_new(0, clock_mono_us());
	struct track_batch *batch = arena_alloc(&j->mem, sizeof(*batch));
	char *remote = arena_alloc(&j->mem, 64);
	request_remote(req, remote);
	enum source source = browser                      ? SOURCE_BROWSER
			     : key->scope == SCOPE_CANARY ? SOURCE_CANARY
							  : SOURCE_SERVER;
	const struct inbox_row common = {.received_us = clock_now_us(),
		.store_id = key->store_id,
		.source = (int16_t)source,
		.remote = remote,
		.meta = ""};
	const struct track_request r = {.source = source,
		.body = req->body ? req->body : "",
		.len = req->nbody,
		.now_us = common.received_us,
		.ip = *remote ? remote : NULL,
		.user_agent = request_header(req, "User-Agent")};
	j->detail = batch;
	enum ta_rc rc = track_parse(&j->mem, &r, batch, &err);
	if (rc)
		request_error(req, (unsigned)ta_rc_http(rc), "%s", err.msg);
	else if (!browser || batch->n < 2 || within_limits(req, key, batch->n - 1)) {
		store(req, j, batch, &common);
		return;
	}
	job_free(j);
}
