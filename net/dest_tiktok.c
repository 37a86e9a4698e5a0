/* TikTok Events API 2.0: POST /event/track/ of the Business API v1.3. Ids are strings, the phone is
 * hashed with its plus, place names are plain, and the answer's `code` decides, not HTTP. */
#include "net/dest.h"

#include "net/build.h"
#include "net/verdict.h"
#include "src/arena.h"

#include <string.h>

#define P PLATFORM_TIKTOK

static bool has_match_key(const struct event *ev)
{
	char hash[65];

	return build_hash(P, ID_EMAIL, &ev->user, hash) ||
	       build_hash(P, ID_PHONE, &ev->user, hash) ||
	       build_hash(P, ID_EXTERNAL_ID, &ev->user, hash) || ev->click.ttclid ||
	       ev->click.ttp || (build_ip(ev->user.ip) && ev->user.user_agent);
}

static enum reason tiktok_check(
	const struct event *ev, const struct dest_config *cfg, int64_t now_s, struct buf *why)
{
	const struct build_case c = {P, ev, cfg, now_s};
	enum reason reason = build_check(&c, why);

	if (reason || has_match_key(ev))
		return reason;
	buf_adds(why,
		"TikTok needs e-mail, phone, customer id, ttclid, ttp, or address and browser "
		"together");
	return REASON_NO_MATCH_KEY;
}

/* Place names go plain, in the form the others hash. */
static void put_plain(
	struct jsonw *w, const char *name, enum identity_key key, const struct event_user *u)
{
	struct buf text = BUF_INIT(1024);

	if (identity_form(P, key, u, &text) && !text.over)
		jsonw_str(w, name, buf_str(&text));
	buf_release(&text);
}

static void put_user(struct jsonw *w, const struct event *ev)
{
	static const struct {
		const char *name;
		enum identity_key key;
	} fields[] = {
		{"email", ID_EMAIL},
		{"phone", ID_PHONE},
		{"external_id", ID_EXTERNAL_ID},
		{"first_name", ID_FIRST_NAME},
		{"last_name", ID_LAST_NAME},
		{"zip_code", ID_ZIP},
	};
	char text[65];
	size_t mark = w->b->len;

	jsonw_open(w, "user", '{');
	for (size_t i = 0; i < TA_COUNT(fields); i++)
		jsonw_str(w, fields[i].name, build_hash(P, fields[i].key, &ev->user, text));
	put_plain(w, "city", ID_CITY, &ev->user);
	put_plain(w, "state", ID_STATE, &ev->user);
	put_plain(w, "country", ID_COUNTRY, &ev->user);
	jsonw_str(w, "ttclid", ev->click.ttclid);
	jsonw_str(w, "ttp", ev->click.ttp);
	jsonw_str(w, "ip", build_ip(ev->user.ip));
	jsonw_str(w, "user_agent", ev->user.user_agent);
	build_close(w, mark, '}');
}

static void put_content(struct jsonw *w, const struct event_item *it, const char *id)
{
	jsonw_open(w, NULL, '{');
	jsonw_str(w, "content_id", id);
	jsonw_str(w, "content_name", it->name);
	jsonw_str(w, "content_category", it->category);
	jsonw_str(w, "brand", it->brand);
	if (build_amount(it->has_price, it->price))
		jsonw_money_number(w, "price", it->price);
	jsonw_int(w, "quantity", it->quantity);
	jsonw_close(w, '}');
}

static void put_contents(struct jsonw *w, const struct event *ev, const struct dest_config *cfg)
{
	size_t mark = w->b->len;

	jsonw_open(w, "contents", '[');
	for (size_t i = 0; i < ev->nitems; i++) {
		const char *id = build_item_id(&ev->items[i], cfg);
		if (id)
			put_content(w, &ev->items[i], id);
	}
	build_close(w, mark, ']');
	if (w->b->len > mark)
		jsonw_str(w, "content_type", "product");
}

static void put_properties(struct jsonw *w, const struct event *ev, const struct dest_config *cfg)
{
	size_t mark = w->b->len;
	int64_t items = build_num_items(ev);

	jsonw_open(w, "properties", '{');
	jsonw_str(w, "currency", build_currency(ev));
	if (build_amount(ev->has_value, ev->value))
		jsonw_money_number(w, "value", ev->value);
	put_contents(w, ev, cfg);
	if (items > 0)
		jsonw_int(w, "num_items", items);
	jsonw_str(w, "order_id", ev->order.id);
	jsonw_str(w, "query", ev->search);
	build_close(w, mark, '}');
}

static void put_page(struct jsonw *w, const struct event *ev)
{
	const char *url = build_url(ev->url);

	if (!url)
		return;
	jsonw_open(w, "page", '{');
	jsonw_str(w, "url", url);
	jsonw_str(w, "referrer", build_url(ev->referrer));
	jsonw_close(w, '}');
}

static void tiktok_event(
	struct buf *b, const struct event *ev, const char *wire_id, const struct dest_config *cfg)
{
	struct jsonw w = JSONW_INIT(b);

	jsonw_open(&w, NULL, '{');
	jsonw_str(&w, "event", build_name(P, ev, cfg));
	jsonw_int(&w, "event_time", ev->time_s);
	jsonw_str(&w, "event_id", wire_id);
	put_user(&w, ev);
	put_properties(&w, ev, cfg);
	put_page(&w, ev);
	if (ev->consent != CONSENT_UNKNOWN)
		jsonw_bool(&w, "limited_data_use", ev->consent == CONSENT_DENIED);
	jsonw_close(&w, '}');
}

static void tiktok_request(struct arena *a, const struct dest_config *cfg, const struct buf *events,
	size_t n, struct dest_request *req)
{
	build_request(req, events, n);
	req->url = arena_fmt(a, "%s/event/track/", cfg->base_url);
	req->secret_header = build_token_header(a, "Access-Token: ", cfg->token);
	struct jsonw w = JSONW_INIT(&req->body);
	jsonw_open(&w, NULL, '{');
	jsonw_str(&w, "event_source", "web");
	jsonw_str(&w, "event_source_id", cfg->account);
	jsonw_str(&w, "test_event_code", cfg->test_code);
	build_events(&w, events, n);
	jsonw_close(&w, '}');
}

/* "Batch.3.properties…" names data[3]. */
static long index_named(const char *message, size_t n)
{
	const char *p = strstr(message, "Batch.");
	size_t v = 0, digits = 0;

	if (!p)
		return -1;
	for (p += strlen("Batch."); *p >= '0' && *p <= '9' && digits < 5; p++, digits++)
		v = v * 10 + (size_t)(*p - '0');
	return digits && *p == '.' && v < n ? (long)v : -1;
}

/* TikTok speaks in `code`, with HTTP 200 nearly always. 20001, a part was taken, comes without a
 * known list of which: the batch is halved as for a bad event until each event has an answer of its
 * own. What was taken before is merged there by event id (within 48 hours), so nothing is lost and
 * nothing counts twice. */
static void tiktok_judge(
	struct arena *a, const struct dest_reply *r, size_t n, struct dest_outcome *out)
{
	struct judging j = {.a = a, .platform = P, .r = r, .n = n, .out = out};
	int64_t code;

	judging_begin(&j);
	const char *message = reply_text(j.root, "message");
	judge_trace(&j, reply_text(j.root, "request_id"));
	if (!j.root)
		judge_status(&j, NULL, NULL);
	else if (!jv_int(j.root, "code", &code))
		judge_status(&j, NULL, message);
	else if (code == 0 && judging_success(&j))
		judge_accepted(&j, DISP_DELIVERED, "ok", "");
	else if (code == 0)
		judge_unclear(&j, arena_fmt(a, "TikTok says code 0 beside HTTP %d", r->http));
	else
		judge_code(&j, code, 0, message);
	if (out->class == DEST_PERMANENT_BATCH)
		out->bad_index = index_named(message, n);
}

const struct dest dest_tiktok = {
	.platform = P,
	.check = tiktok_check,
	.event = tiktok_event,
	.request = tiktok_request,
	.judge = tiktok_judge,
};
