/* Pinterest Conversions API v5: POST /ad_accounts/{id}/events. Objects there take no unknown
 * property (one refuses the whole batch), so every member below is on the specification's list. */
#include "net/dest.h"

#include "net/build.h"
#include "net/verdict.h"
#include "src/arena.h"

#include <string.h>

#define P PLATFORM_PINTEREST

static bool has_browser(const struct event *ev)
{
	return build_ip(ev->user.ip) && ev->user.user_agent;
}

static enum reason pinterest_check(
	const struct event *ev, const struct dest_config *cfg, int64_t now_s, struct buf *why)
{
	char hash[65];
	const struct build_case c = {P, ev, cfg, now_s};
	enum reason reason = build_check(&c, why);

	if (reason || build_hash(P, ID_EMAIL, &ev->user, hash) || has_browser(ev))
		return reason;
	buf_adds(why, "Pinterest needs an e-mail address, or address and browser together");
	return REASON_NO_MATCH_KEY;
}

/* Pinterest takes each identity as a list. */
static void put_list(struct jsonw *w, const char *key, const char *s)
{
	if (!s)
		return;
	jsonw_open(w, key, '[');
	jsonw_str(w, NULL, s);
	jsonw_close(w, ']');
}

static void put_user(struct jsonw *w, const struct event *ev)
{
	char text[65];

	jsonw_open(w, "user_data", '{');
	for (size_t i = 0; i < BUILD_IDENTITIES; i++)
		put_list(w, build_identities[i].name,
			build_hash(P, build_identities[i].key, &ev->user, text));
	jsonw_str(w, "client_ip_address", build_ip(ev->user.ip));
	jsonw_str(w, "client_user_agent", ev->user.user_agent);
	jsonw_str(w, "click_id", ev->click.epik);
	jsonw_close(w, '}');
}

static void put_content(struct jsonw *w, const struct event_item *it, const char *id)
{
	jsonw_open(w, NULL, '{');
	jsonw_str(w, "id", id);
	jsonw_str(w, "item_name", it->name);
	jsonw_str(w, "item_category", it->category);
	jsonw_str(w, "item_brand", it->brand);
	if (build_amount(it->has_price, it->price))
		jsonw_money(w, "item_price", it->price);
	jsonw_int(w, "quantity", it->quantity);
	jsonw_close(w, '}');
}

static void put_contents(struct jsonw *w, const struct event *ev, const struct dest_config *cfg)
{
	size_t mark = w->b->len;
	jsonw_open(w, "content_ids", '[');
	for (size_t i = 0; i < ev->nitems; i++)
		jsonw_str(w, NULL, build_item_id(&ev->items[i], cfg));
	build_close(w, mark, ']');
	mark = w->b->len;
	jsonw_open(w, "contents", '[');
	for (size_t i = 0; i < ev->nitems; i++) {
		const char *id = build_item_id(&ev->items[i], cfg);
		if (id)
			put_content(w, &ev->items[i], id);
	}
	build_close(w, mark, ']');
	if (ev->nitems == 1) {
		jsonw_str(w, "content_name", ev->items[0].name);
		jsonw_str(w, "content_category", ev->items[0].category);
		jsonw_str(w, "content_brand", ev->items[0].brand);
	}
}

static void put_custom(struct jsonw *w, const struct event *ev, const struct dest_config *cfg)
{
	size_t mark = w->b->len;
	int64_t items = build_num_items(ev);

	jsonw_open(w, "custom_data", '{');
	jsonw_str(w, "currency", build_currency(ev));
	if (build_amount(ev->has_value, ev->value))
		jsonw_money(w, "value", ev->value);
	put_contents(w, ev, cfg);
	if (items > 0)
		jsonw_int(w, "num_items", items);
	jsonw_str(w, "order_id", ev->order.id);
	jsonw_str(w, "search_string", ev->search);
	build_close(w, mark, '}');
}

static void pinterest_event(
	struct buf *b, const struct event *ev, const char *wire_id, const struct dest_config *cfg)
{
	struct jsonw w = JSONW_INIT(b);

	jsonw_open(&w, NULL, '{');
	jsonw_str(&w, "event_name", build_name(P, ev, cfg));
	jsonw_str(&w, "action_source", "web");
	jsonw_int(&w, "event_time", ev->time_s);
	jsonw_str(&w, "event_id", wire_id);
	jsonw_str(&w, "event_source_url", build_url(ev->url));
	if (ev->consent != CONSENT_UNKNOWN)
		jsonw_bool(&w, "opt_out", ev->consent == CONSENT_DENIED);
	if (ev->language && strlen(ev->language) == 2)
		jsonw_str(&w, "language", ev->language);
	put_user(&w, ev);
	put_custom(&w, ev, cfg);
	jsonw_close(&w, '}');
}

static void pinterest_request(struct arena *a, const struct dest_config *cfg,
	const struct buf *events, size_t n, struct dest_request *req)
{
	struct buf url = BUF_INIT(4096);

	build_request(req, events, n);
	buf_addf(&url, "%s/ad_accounts/", cfg->base_url);
	build_escape(&url, cfg->account);
	buf_adds(&url, "/events");
	if (cfg->test_code && *cfg->test_code)
		buf_adds(&url, "?test=true");
	req->url = arena_strdup(a, buf_str(&url));
	buf_release(&url);
	req->secret_header = build_token_header(a, "Authorization: Bearer ", cfg->token);
	struct jsonw w = JSONW_INIT(&req->body);
	jsonw_open(&w, NULL, '{');
	build_events(&w, events, n);
	jsonw_close(&w, '}');
}

/* The events' own results: `events` beside the counts in a 200, under `details` in a 422. */
static const struct jv *result_holder(const struct judging *j)
{
	const struct jv *details = jv_object(j->root, "details");
	return details && !jv_get(j->root, "events") ? details : j->root;
}

static void judge_result(struct judging *j, size_t i, const struct jv *result)
{
	const char *status = reply_text(result, "status");
	const char *error = reply_text(result, "error_message");
	const char *warning = reply_text(result, "warning_message");

	if (strcmp(status, "failed") == 0)
		judge_event(
			j, i, DISP_REJECTED, "failed", *error ? error : "Pinterest gave no reason");
	else if (strcmp(status, "processed") != 0)
		judge_event(
			j, i, DISP_RETRYING, "unclear", "the answer has no verdict for this event");
	else if (*error || *warning)
		judge_event(j, i, DISP_DELIVERED_WARNING, "warning", *error ? error : warning);
}

/* A list that says "processed" more often than the count beside it: the verdicts stand, a warning
 * tells of the difference. */
static void compare_count(struct judging *j, const struct jv *holder)
{
	int64_t processed;
	size_t accepted = 0;

	for (size_t i = 0; i < j->n; i++)
		accepted += j->out->verdicts[i].to != DISP_REJECTED &&
			    j->out->verdicts[i].to != DISP_RETRYING;
	if (!jv_int(holder, "num_events_processed", &processed) || processed < 0 ||
		(size_t)processed >= accepted)
		return;
	const char *text = arena_fmt(j->a, "Pinterest counted %lld processed events and lists %zu",
		(long long)processed, accepted);
	for (size_t i = 0; i < j->n; i++)
		if (j->out->verdicts[i].to == DISP_DELIVERED)
			judge_event(j, i, DISP_DELIVERED_WARNING, "count", text);
}

/* True when the body holds a result for each event of the request. */
static bool judge_results(struct judging *j)
{
	const struct jv *holder = result_holder(j);
	const struct jv *events = jv_array(holder, "events");

	if (!events || jv_count(events) != j->n)
		return false;
	judge_accepted(j, DISP_DELIVERED, "ok", "");
	const struct jv *result = events->child;
	for (size_t i = 0; i < j->n; i++, result = result->next)
		judge_result(j, i, result);
	compare_count(j, holder);
	return true;
}

/* A success without a list of the right length: only equal counts prove that all were taken. */
static void judge_counts(struct judging *j)
{
	const struct jv *holder = result_holder(j);
	const struct jv *events = jv_array(holder, "events");
	int64_t received = -1, processed = -1;

	if (jv_int(holder, "num_events_received", &received) &&
		jv_int(holder, "num_events_processed", &processed) && !jv_count(events) &&
		received == (int64_t)j->n && processed == (int64_t)j->n)
		judge_accepted(j, DISP_DELIVERED, "ok", "");
	else
		judge_unclear(j,
			arena_fmt(j->a,
				"%zu events were sent, the answer has %zu results "
				"(received %lld, processed %lld)",
				j->n, jv_count(events), (long long)received, (long long)processed));
}

static void pinterest_judge(
	struct arena *a, const struct dest_reply *r, size_t n, struct dest_outcome *out)
{
	struct judging j = {.a = a, .platform = P, .r = r, .n = n, .out = out};
	int64_t code;

	judging_begin(&j);
	if (!j.root)
		judge_status(&j, NULL, NULL);
	else if ((judging_success(&j) || r->http == 422 || r->http == 400) && judge_results(&j))
		;
	else if (jv_int(j.root, "code", &code))
		judge_code(&j, code, 0, reply_text(j.root, "message"));
	else if (judging_success(&j))
		judge_counts(&j);
	else
		judge_status(&j, NULL, reply_text(j.root, "message"));
}

const struct dest dest_pinterest = {
	.platform = P,
	.check = pinterest_check,
	.event = pinterest_event,
	.request = pinterest_request,
	.judge = pinterest_judge,
};
