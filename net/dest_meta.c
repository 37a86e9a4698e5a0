/* Meta Conversions API: POST /{pixel}/events of the Graph API. All or nothing: one bad event
 * refuses the whole request, therefore what Meta is known to refuse is left out or found here. */
#include "net/dest.h"

#include "net/build.h"
#include "net/verdict.h"
#include "src/arena.h"

#include <string.h>

#define P PLATFORM_META

#define CLICK_AGE_S ((int64_t)90 * 86400)
#define DAY_S       ((int64_t)86400)

/* The click id, if it is well formed (error 2804001), not older than Meta keeps one and not from
 * the event's future, a day of clock trouble aside. */
static const char *click_of(const struct event *ev)
{
	int64_t made = build_fb_cookie(ev->click.fbc);

	if (made < 0 || ev->time_s > made + CLICK_AGE_S || ev->time_s < made - DAY_S)
		return NULL;
	return ev->click.fbc;
}

static const char *browser_of(const struct event *ev)
{
	return build_fb_cookie(ev->click.fbp) < 0 ? NULL : ev->click.fbp;
}

/* Name and address alone match nobody (error 2804050). */
static bool has_match_key(const struct event *ev)
{
	char hash[65];

	return build_hash(P, ID_EMAIL, &ev->user, hash) ||
	       build_hash(P, ID_PHONE, &ev->user, hash) ||
	       build_hash(P, ID_EXTERNAL_ID, &ev->user, hash) || click_of(ev) || browser_of(ev) ||
	       (build_ip(ev->user.ip) && ev->user.user_agent);
}

static enum reason meta_check(
	const struct event *ev, const struct dest_config *cfg, int64_t now_s, struct buf *why)
{
	const struct build_case c = {P, ev, cfg, now_s};
	enum reason reason = build_check(&c, why);

	if (reason || has_match_key(ev))
		return reason;
	buf_adds(why,
		"Meta needs e-mail, phone, customer id, fbc, fbp, or address and browser together");
	return REASON_NO_MATCH_KEY;
}

static void put_user(struct jsonw *w, const struct event *ev)
{
	char text[65];

	jsonw_open(w, "user_data", '{');
	for (size_t i = 0; i < BUILD_IDENTITIES; i++)
		jsonw_str(w, build_identities[i].name,
			build_hash(P, build_identities[i].key, &ev->user, text));
	jsonw_str(w, "client_ip_address", build_ip(ev->user.ip));
	jsonw_str(w, "client_user_agent", ev->user.user_agent);
	jsonw_str(w, "fbc", click_of(ev));
	jsonw_str(w, "fbp", browser_of(ev));
	jsonw_close(w, '}');
}

static void put_content(struct jsonw *w, const struct event_item *it, const char *id)
{
	jsonw_open(w, NULL, '{');
	jsonw_str(w, "id", id);
	jsonw_int(w, "quantity", it->quantity);
	if (build_amount(it->has_price, it->price))
		jsonw_money_number(w, "item_price", it->price);
	jsonw_str(w, "title", it->name);
	jsonw_str(w, "brand", it->brand);
	jsonw_str(w, "category", it->category);
	jsonw_close(w, '}');
}

static void put_contents(struct jsonw *w, const struct event *ev, const struct dest_config *cfg)
{
	size_t mark = w->b->len;
	jsonw_open(w, "content_ids", '[');
	for (size_t i = 0; i < ev->nitems; i++)
		jsonw_str(w, NULL, build_item_id(&ev->items[i], cfg));
	build_close(w, mark, ']');
	bool any = w->b->len > mark;
	mark = w->b->len;
	jsonw_open(w, "contents", '[');
	for (size_t i = 0; i < ev->nitems; i++) {
		const char *id = build_item_id(&ev->items[i], cfg);
		if (id)
			put_content(w, &ev->items[i], id);
	}
	build_close(w, mark, ']');
	if (ev->name == EV_VIEW_CATEGORY)
		jsonw_str(w, "content_type", "product_group");
	else if (any)
		jsonw_str(w, "content_type", "product");
	if (ev->nitems == 1) {
		jsonw_str(w, "content_name", ev->items[0].name);
		jsonw_str(w, "content_category", ev->items[0].category);
	}
}

static void put_custom(struct jsonw *w, const struct event *ev, const struct dest_config *cfg)
{
	size_t mark = w->b->len;
	int64_t items = build_num_items(ev);

	jsonw_open(w, "custom_data", '{');
	jsonw_str(w, "currency", build_currency(ev));
	if (build_amount(ev->has_value, ev->value))
		jsonw_money_number(w, "value", ev->value);
	put_contents(w, ev, cfg);
	if (items > 0)
		jsonw_int(w, "num_items", items);
	jsonw_str(w, "order_id", ev->order.id);
	jsonw_str(w, "search_string", ev->search);
	build_close(w, mark, '}');
}

/* Country and state 0 let Meta find the place itself. */
static void put_consent(struct jsonw *w, const struct event *ev)
{
	if (ev->consent == CONSENT_GRANTED)
		jsonw_raw(w, "data_processing_options", "[]");
	if (ev->consent != CONSENT_DENIED)
		return;
	jsonw_bool(w, "opt_out", true);
	jsonw_raw(w, "data_processing_options", "[\"LDU\"]");
	jsonw_int(w, "data_processing_options_country", 0);
	jsonw_int(w, "data_processing_options_state", 0);
}

static void meta_event(
	struct buf *b, const struct event *ev, const char *wire_id, const struct dest_config *cfg)
{
	struct jsonw w = JSONW_INIT(b);

	jsonw_open(&w, NULL, '{');
	jsonw_str(&w, "event_name", build_name(P, ev, cfg));
	jsonw_int(&w, "event_time", ev->time_s);
	jsonw_str(&w, "event_id", wire_id);
	jsonw_str(&w, "action_source", "website");
	jsonw_str(&w, "event_source_url", build_url(ev->url));
	jsonw_str(&w, "referrer_url", build_url(ev->referrer));
	put_consent(&w, ev);
	put_user(&w, ev);
	put_custom(&w, ev, cfg);
	jsonw_close(&w, '}');
}

/* The token goes into the body at sending: a URL is kept in too many logs on its way. */
static const char *token_member(struct arena *a, const char *token)
{
	struct buf b = BUF_INIT(8192);

	if (!token)
		return NULL;
	buf_adds(&b, "\"access_token\":");
	json_quote(&b, token, strlen(token));
	buf_addc(&b, ',');
	const char *text = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return text;
}

static void meta_request(struct arena *a, const struct dest_config *cfg, const struct buf *events,
	size_t n, struct dest_request *req)
{
	struct buf url = BUF_INIT(4096);

	build_request(req, events, n);
	buf_addf(&url, "%s/", cfg->base_url);
	build_escape(&url, cfg->account);
	buf_adds(&url, "/events");
	req->url = arena_strdup(a, buf_str(&url));
	buf_release(&url);
	req->secret_body = token_member(a, cfg->token);
	struct jsonw w = JSONW_INIT(&req->body);
	jsonw_open(&w, NULL, '{');
	build_events(&w, events, n);
	jsonw_str(&w, "test_event_code", cfg->test_code);
	jsonw_close(&w, '}');
}

/* Meta takes all events or none. `messages` warns without saying whom: every event of the batch
 * carries the warning. */
static void judge_taken(struct judging *j)
{
	const struct jv *messages = jv_array(j->root, "messages");
	const char *warning = messages ? jv_text_of(messages->child) : NULL;
	int64_t received = -1;

	if (!jv_int(j->root, "events_received", &received) || received != (int64_t)j->n)
		judge_unclear(j, arena_fmt(j->a, "%zu events were sent, Meta says it received %lld",
					 j->n, (long long)received));
	else if (jv_count(messages))
		judge_accepted(j, DISP_DELIVERED_WARNING, "warning",
			warning ? warning : "Meta sent a message of unknown form");
	else
		judge_accepted(j, DISP_DELIVERED, "ok", "");
}

/* The user's title and text say more than "Invalid parameter"; they are localised, so nothing
 * decides by them. */
static const char *error_text(struct judging *j, const struct jv *error)
{
	const char *title = reply_text(error, "error_user_title");
	const char *text = reply_text(error, "error_user_msg");

	if (*title && *text)
		return arena_fmt(j->a, "%s: %s", title, text);
	return *text ? text : reply_text(error, "message");
}

static void judge_error(struct judging *j, const struct jv *error)
{
	const char *text = error_text(j, error);
	int64_t code = -1, subcode = 0;

	if (!jv_int(error, "error_subcode", &subcode))
		subcode = 0;
	if (!jv_int(error, "code", &code)) {
		judge_status(j, NULL, text);
		return;
	}
	judge_code(j, code, subcode, text);
	if (jv_bool(error, "is_transient"))
		j->out->class = DEST_RETRY;
}

static void meta_judge(
	struct arena *a, const struct dest_reply *r, size_t n, struct dest_outcome *out)
{
	struct judging j = {.a = a, .platform = P, .r = r, .n = n, .out = out};

	judging_begin(&j);
	const struct jv *error = jv_object(j.root, "error");
	judge_trace(&j, reply_text(error ? error : j.root, "fbtrace_id"));
	if (!j.root)
		judge_status(&j, NULL, NULL);
	else if (error)
		judge_error(&j, error);
	else if (judging_success(&j))
		judge_taken(&j);
	else
		judge_status(&j, NULL, NULL);
	/* Meta answers nearly everything with 400: what nobody has described may be trouble of its
	 * own, and waiting loses nothing. */
	if (out->class == DEST_PERMANENT_BATCH && r->http == 400 && !reply_find_text(P, out->code))
		out->class = DEST_RETRY;
}

const struct dest dest_meta = {
	.platform = P,
	.check = meta_check,
	.event = meta_event,
	.request = meta_request,
	.judge = meta_judge,
};
