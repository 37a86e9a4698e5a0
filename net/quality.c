#include "net/quality.h"

#include "net/build.h"
#include "net/verdict.h"
#include "src/arena.h"
#include "src/jsonw.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX    80 /* bytes of an event's or component's name */
#define MESSAGE_MAX 100
#define REASON_MAX  200 /* of what is wrong */
#define SCORES_MAX  40
#define EVENTS_MAX  30 /* of one component */
#define ISSUES_MAX  5
#define TAGS_MAX    100
#define JSON_MAX    ((size_t)512 << 10)
#define LOOKBACK    "14d"

/* The components of the score, in the order they are shown. */
static const char *const components[] = {"hashed_email", "hashed_maid", "click_id_epik",
	"advertiser_external_id", "ip_address", "user_agent", "external_event_id", "order_id",
	"order_value", "product_id", "source_url"};

void quality_request(struct arena *a, const struct dest_config *cfg, enum quality_ask what,
	struct dest_request *req)
{
	struct buf url = BUF_INIT(4096);
	*req = (struct dest_request){.method = "GET"};
	buf_addf(&url, "%s/ad_accounts/", cfg->base_url);
	build_escape(&url, cfg->account);
	buf_adds(&url, what == QUALITY_SCORES ? "/conversion_eqs?lookback_period=" LOOKBACK
					      : "/conversion_tags");
	req->url = arena_strdup(a, buf_str(&url));
	buf_release(&url);
	req->headers[0] = "Accept: application/json";
	req->secret_header = build_token_header(a, "Authorization: Bearer ", cfg->token);
}

/* One answer being read. */
struct answer_read {
	struct arena *a;
	struct jsonw w;
};

static void put_text(struct answer_read *q, const char *as, const struct jv *o, const char *name)
{
	const char *s = jv_str(o, name);
	if (s)
		jsonw_str(&q->w, as, reply_cut(q->a, s, WORD_MAX));
}

/* A percentage as the platform wrote it, when it is a plain number. */
static void put_percent(struct answer_read *q, const char *as, const struct jv *o, const char *name)
{
	const struct jv *v = jv_get(o, name);
	if (!v || v->type != JV_NUMBER || v->len > 20)
		return;
	jsonw_raw(&q->w, as, v->s);
}

static void put_issues(struct answer_read *q, const struct jv *issues)
{
	size_t n = 0;
	if (!jv_count(issues))
		return;
	jsonw_open(&q->w, "issues", '[');
	for (const struct jv *i = issues->child; i && n < ISSUES_MAX; i = i->next) {
		const char *name = jv_str(i, "name"), *reason = jv_str(i, "reason");
		if (!name && !reason)
			continue;
		n++;
		jsonw_str(&q->w, NULL,
			reply_cut(q->a,
				arena_fmt(q->a, "%s%s%s", name ? name : "",
					name && reason ? ": " : "", reason ? reason : ""),
				REASON_MAX));
	}
	jsonw_close(&q->w, ']');
}

static void put_component(struct answer_read *q, const char *name, const struct jv *events)
{
	size_t n = 0;
	for (const struct jv *e = events->child; e && n < EVENTS_MAX; e = e->next, n++) {
		if (e->type != JV_OBJECT)
			continue;
		jsonw_open(&q->w, NULL, '{');
		jsonw_str(&q->w, "component", name);
		jsonw_str(&q->w, "event", reply_cut(q->a, e->key ? e->key : "", WORD_MAX));
		put_percent(q, "coverage", e, "coverage");
		put_percent(q, "overlap", e, "overlap");
		put_issues(q, jv_array(e, "issues"));
		jsonw_close(&q->w, '}');
	}
}

static void put_score(struct answer_read *q, const struct jv *s)
{
	const struct jv *parts = jv_object(s, "quality_components");
	jsonw_open(&q->w, NULL, '{');
	put_text(q, "status", s, "overall_status");
	put_text(q, "source", s, "ingestion_source");
	put_text(q, "platform", s, "source_platform");
	put_text(q, "period", s, "lookback_period");
	jsonw_open(&q->w, "components", '[');
	for (size_t i = 0; i < TA_COUNT(components); i++) {
		const struct jv *events = jv_object(parts, components[i]);
		if (events)
			put_component(q, components[i], events);
	}
	jsonw_close(&q->w, ']');
	jsonw_close(&q->w, '}');
}

static void put_tag(struct answer_read *q, const struct jv *t)
{
	int64_t fired;
	jsonw_open(&q->w, NULL, '{');
	put_text(q, "id", t, "id");
	put_text(q, "name", t, "name");
	put_text(q, "status", t, "status");
	put_text(q, "enhanced_match", t, "enhanced_match_status");
	if (jv_int(t, "last_fired_time_ms", &fired) && fired > 0)
		jsonw_int(&q->w, "fired_ms", fired);
	jsonw_close(&q->w, '}');
}

/* Why there is nothing, in an operator's words. */
static void explain(struct arena *a, const struct dest_reply *r, const struct jv *root,
	struct quality_reply *out)
{
	const char *message = reply_cut(a, reply_text(root, "message"), MESSAGE_MAX);
	if (r->http == 0)
		snprintf(out->why, sizeof(out->why), "Pinterest gave no answer");
	else if (r->http == 401 || r->http == 403)
		snprintf(out->why, sizeof(out->why),
			"the token may not read it (it needs the scope ads:read): %s", message);
	else if (r->http == 429)
		snprintf(out->why, sizeof(out->why), "Pinterest asks for patience (HTTP 429)");
	else if (r->http >= 200 && r->http < 300)
		snprintf(out->why, sizeof(out->why), "Pinterest's answer has another form");
	else
		snprintf(out->why, sizeof(out->why), "HTTP %d: %s", r->http, message);
}

void quality_read(struct arena *a, enum quality_ask what, const struct dest_reply *r,
	struct quality_reply *out)
{
	struct buf b = BUF_INIT(JSON_MAX);
	struct answer_read q = {a, JSONW_INIT(&b)};
	const struct jv *root = NULL, *list = NULL;
	size_t n = 0;
	*out = (struct quality_reply){0};
	if (jv_parse(a, r->body ? r->body : "", r->len, &root, NULL))
		root = NULL;
	if (what == QUALITY_TAGS)
		list = jv_array(root, "items");
	else if (root && root->type == JV_ARRAY)
		list = root;
	if (!list || r->http < 200 || r->http > 299) {
		explain(a, r, root, out);
		buf_release(&b);
		return;
	}
	jsonw_open(&q.w, NULL, '[');
	for (const struct jv *v = list->child; v; v = v->next) {
		if (v->type != JV_OBJECT || n++ >= (what == QUALITY_TAGS ? TAGS_MAX : SCORES_MAX))
			continue;
		if (what == QUALITY_TAGS)
			put_tag(&q, v);
		else
			put_score(&q, v);
	}
	jsonw_close(&q.w, ']');
	if (b.over)
		snprintf(out->why, sizeof(out->why), "Pinterest's answer is too long");
	else
		out->json = arena_strdup(a, buf_str(&b));
	buf_release(&b);
}
