/* POST /webhook/shopify…: verified on the raw bytes, stored, answered; never parsed here. */
#include "net/auth.h"
#include "net/keeper.h"
#include "net/request.h"
#include "net/route.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/words.h"

#include <ctype.h>
#include <microhttpd.h>
#include <string.h>
#include <strings.h>

#define TOPIC_MAX 128
#define ID_MAX    200

/* The envelope (CONTRACTS 4.1). Header names come as X-Shopify-Topic or, in the newer style, as
 * shopify-topic. */
struct envelope {
	const char *topic, *signature, *domain, *webhook_id, *event_id, *api_version, *triggered_at;
};

static enum MHD_Result take_header(
	void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	static const struct {
		const char *name;
		size_t at;
	} wanted[] = {
		{"topic", offsetof(struct envelope, topic)},
		{"hmac-sha256", offsetof(struct envelope, signature)},
		{"shop-domain", offsetof(struct envelope, domain)},
		{"webhook-id", offsetof(struct envelope, webhook_id)},
		{"event-id", offsetof(struct envelope, event_id)},
		{"api-version", offsetof(struct envelope, api_version)},
		{"triggered-at", offsetof(struct envelope, triggered_at)},
	};
	(void)kind;
	if (strncasecmp(name, "x-", 2) == 0)
		name += 2;
	if (!value || strncasecmp(name, "shopify-", 8) != 0)
		return MHD_YES;
	for (size_t i = 0; i < TA_COUNT(wanted); i++)
		if (strcasecmp(name + 8, wanted[i].name) == 0)
			memcpy((char *)cls + wanted[i].at, &value, sizeof(value));
	return MHD_YES;
}

static void copy_lower(char *to, size_t size, const char *from)
{
	size_t n = 0;
	for (; from[n] && n + 1 < size; n++)
		to[n] = isprint((unsigned char)from[n]) ? (char)tolower((unsigned char)from[n])
							: '?';
	to[n] = '\0';
}

/* Bounded evidence of a refused signature, written off this path. */
static void refuse(struct request *req, const struct envelope *e, const char *reason)
{
	struct inbox_refused r = {.at_us = clock_now_us()};
	copy_lower(r.domain, sizeof(r.domain), e->domain);
	copy_lower(r.topic, sizeof(r.topic), e->topic);
	copy_lower(r.reason, sizeof(r.reason), reason);
	request_remote(req, r.remote);
	r.nhead = TA_MIN(req->nbody, sizeof(r.head));
	if (r.nhead)
		memcpy(r.head, req->body, r.nhead);
	crypto_sha256(req->body ? req->body : "", req->nbody, r.hash);
	keeper_refused(request_keeper(req), &r);
	request_error(req, 401, "%s", reason);
}

/* Headers worth keeping, as compact JSON of printable ASCII. */
static const char *meta_of(struct job *j, const struct envelope *e)
{
	const char *const pairs[][2] = {{"event_id", e->event_id}, {"api_version", e->api_version},
		{"triggered_at", e->triggered_at}};
	struct buf b = BUF_INIT(1024);
	for (size_t i = 0; i < TA_COUNT(pairs); i++) {
		const char *v = job_text(j, pairs[i][1], 100);
		if (!*v || strpbrk(v, "\"\\"))
			continue;
		buf_addf(&b, "%c\"%s\":\"%s\"", b.len ? ',' : '{', pairs[i][0], v);
	}
	if (b.len)
		buf_addc(&b, '}');
	const char *meta = job_text(j, buf_str(&b), b.len);
	buf_release(&b);
	return meta;
}

static void store(struct request *req, const struct envelope *e, int32_t store_id)
{
	struct job *j = job_new(1, clock_mono_us());
	struct inbox_row *row = j->rows;
	char remote[64];
	request_remote(req, remote);
	row->received_us = clock_now_us();
	row->store_id = store_id;
	row->source = SOURCE_SHOPIFY;
	row->topic = job_text(j, e->topic, TOPIC_MAX);
	/* An id that does not fit cannot be told from its neighbours: then the body decides. */
	bool fits = e->webhook_id && strlen(e->webhook_id) <= ID_MAX;
	row->webhook_id = job_text(j, fits ? e->webhook_id : NULL, ID_MAX);
	row->remote = job_text(j, remote, sizeof(remote));
	row->meta = meta_of(j, e);
	job_body(j, row, req->body ? req->body : "", req->nbody);
	receipt_key(row);
	request_store(req, j, request_ok);
}

static void receive(struct request *req, const char *default_topic)
{
	struct envelope e = {.topic = default_topic};
	char domain[128];
	const struct callers *callers = request_callers(req);
	MHD_get_connection_values(req->mhd, MHD_HEADER_KIND, take_header, &e);
	if (!callers) {
		request_busy(req, "the database cannot be reached; try again in a few seconds");
		return;
	}
	if (!e.domain) {
		request_error(req, 404, "which shop? the header X-Shopify-Shop-Domain is missing");
		return;
	}
	copy_lower(domain, sizeof(domain), e.domain);
	const struct caller_shop *shop = callers_shop(callers, domain);
	if (!shop)
		request_error(req, 404, "no store has the domain %s", domain);
	else if (!e.signature)
		refuse(req, &e, "the header X-Shopify-Hmac-Sha256 is missing");
	else if (auth_signature(shop, e.signature, req->body ? req->body : "", req->nbody))
		store(req, &e, shop->store_id);
	else if (shop->sealed)
		request_busy(req, "the webhook secret of this store cannot be opened here");
	else
		refuse(req, &e, "the signature does not match the body");
}

void api_shopify(struct request *req)
{
	receive(req, "");
}

void api_shopify_order(struct request *req)
{
	receive(req, "orders/create");
}

void api_shopify_checkout(struct request *req)
{
	receive(req, "checkouts/create");
}
