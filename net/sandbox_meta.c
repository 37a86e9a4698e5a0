/* Meta's Conversions API, Graph v24.0: POST /{pixel id}/events. One event that is not right
 * refuses the whole request: HTTP 400 with code and subcode, never saying which event it was. */
#include "net/sandbox_check.h"
#include "net/sandbox_fault.h"

#include <stdio.h>
#include <string.h>

#define MAX_AGE_S       (INT64_C(7) * 86400)
#define MAX_AGE_STORE_S (INT64_C(62) * 86400)
#define MAX_FUTURE_S    INT64_C(3600)

static const char *const action_sources[] = {"website", "app", "email", "phone_call", "chat",
	"physical_store", "system_generated", "business_messaging", "other", NULL};
static const char *const content_types[] = {"product", "product_group", NULL};
static const char *const deliveries[] = {"in_store", "curbside", "home_delivery", NULL};
static const char *const standard_names[] = {"PageView", "ViewContent", "Search", "AddToCart",
	"AddToWishlist", "InitiateCheckout", "AddPaymentInfo", "Purchase", "Lead",
	"CompleteRegistration", "Contact", "CustomizeProduct", "Donate", "FindLocation", "Schedule",
	"StartTrial", "SubmitApplication", "Subscribe", NULL};

static const struct sb_field content_fields[] = {
	{.key = "id", .type = SB_ID, .required = true},
	{.key = "quantity", .type = SB_INT},
	{.key = "item_price", .type = SB_NUM},
	{.key = "title", .type = SB_STR},
	{.key = "brand", .type = SB_STR},
	{.key = "category", .type = SB_STR},
	{.key = "delivery_category", .type = SB_WORD, .words = deliveries},
};
static const struct sb_spec content_spec = {content_fields, TA_COUNT(content_fields), false};

static const struct sb_field custom_fields[] = {
	{.key = "value", .type = SB_NUM},
	{.key = "currency", .type = SB_CURRENCY},
	{.key = "content_ids", .type = SB_STRS},
	{.key = "contents", .type = SB_OBJS, .sub = &content_spec},
	{.key = "content_type", .type = SB_WORD, .words = content_types},
	{.key = "content_name", .type = SB_STR},
	{.key = "content_category", .type = SB_STR},
	{.key = "order_id", .type = SB_ID},
	{.key = "num_items", .type = SB_INT},
	{.key = "predicted_ltv", .type = SB_NUM},
	{.key = "net_revenue", .type = SB_NUM},
	{.key = "search_string", .type = SB_STR},
	{.key = "status", .type = SB_STR},
};
static const struct sb_spec custom_spec = {custom_fields, TA_COUNT(custom_fields), true};

static const struct sb_field user_fields[] = {
	{.key = "em", .type = SB_META_HASH},
	{.key = "ph", .type = SB_META_HASH},
	{.key = "ge", .type = SB_META_HASH},
	{.key = "db", .type = SB_META_HASH},
	{.key = "fn", .type = SB_META_HASH},
	{.key = "ln", .type = SB_META_HASH},
	{.key = "ct", .type = SB_META_HASH},
	{.key = "st", .type = SB_META_HASH},
	{.key = "zp", .type = SB_META_HASH},
	{.key = "country", .type = SB_META_HASH},
	{.key = "external_id", .type = SB_STR_OR_STRS},
	{.key = "client_ip_address", .type = SB_IP},
	{.key = "client_user_agent", .type = SB_ID},
	{.key = "fbc", .type = SB_FBC},
	{.key = "fbp", .type = SB_FBP},
	{.key = "subscription_id", .type = SB_ID},
	{.key = "fb_login_id", .type = SB_ID},
	{.key = "lead_id", .type = SB_ID},
	{.key = "madid", .type = SB_ID},
	{.key = "anon_id", .type = SB_ID},
	{.key = "ctwa_clid", .type = SB_ID},
	{.key = "page_id", .type = SB_ID},
};
static const struct sb_spec user_spec = {user_fields, TA_COUNT(user_fields), false};
static const struct sb_spec any_spec = {NULL, 0, true};

static const struct sb_field event_fields[] = {
	{.key = "event_name", .type = SB_ID, .required = true},
	{.key = "event_time", .type = SB_INT, .required = true},
	{.key = "action_source", .type = SB_WORD, .required = true, .words = action_sources},
	{.key = "user_data", .type = SB_OBJ, .required = true, .sub = &user_spec},
	{.key = "event_id", .type = SB_ID, .required = true},
	{.key = "event_source_url", .type = SB_ID},
	{.key = "custom_data", .type = SB_OBJ, .sub = &custom_spec},
	{.key = "opt_out", .type = SB_BOOL},
	{.key = "data_processing_options", .type = SB_STRS},
	{.key = "data_processing_options_country", .type = SB_INT},
	{.key = "data_processing_options_state", .type = SB_INT},
	{.key = "referrer_url", .type = SB_ID},
	{.key = "app_data", .type = SB_OBJ, .sub = &any_spec},
	{.key = "original_event_data", .type = SB_OBJ, .sub = &any_spec},
	{.key = "attribution_data", .type = SB_OBJ, .sub = &any_spec},
	{.key = "messaging_channel", .type = SB_ID},
};
static const struct sb_spec event_spec = {event_fields, TA_COUNT(event_fields), false};

static const struct sb_field top_fields[] = {
	{.key = "data", .type = SB_OBJS, .required = true, .sub = &any_spec},
	{.key = "test_event_code", .type = SB_ID},
	{.key = "partner_agent", .type = SB_ID},
	{.key = "upload_tag", .type = SB_ID},
	{.key = "access_token", .type = SB_ID},
};
static const struct sb_spec top_spec = {top_fields, TA_COUNT(top_fields), false};

struct meta_error {
	int http, code, subcode; /* subcode 0: none */
	const char *type, *message, *title, *text;
};

static void trace(struct buf *b, const struct sb_answer *a)
{
	/* Stands for the account and the size of the request: enough to be told apart in a log. */
	buf_adds(b, "\"fbtrace_id\":\"A");
	buf_addf(b, "%sx%zu\"", a->account, a->n);
}

static void fail(struct sb_answer *a, const struct meta_error *f)
{
	struct buf *b = &a->body;
	sb_answer_start(a, f->http);
	a->nok = 0;
	a->warned = 0;
	buf_adds(b, "{\"error\":{\"message\":");
	sb_json_string(b, f->message);
	buf_addf(b, ",\"type\":\"%s\",\"code\":%d", f->type, f->code);
	if (f->subcode)
		buf_addf(b, ",\"error_subcode\":%d", f->subcode);
	if (f->title) {
		buf_adds(b, ",\"is_transient\":false,\"error_user_title\":");
		sb_json_string(b, f->title);
		buf_adds(b, ",\"error_user_msg\":");
		sb_json_string(b, f->text);
	}
	buf_addc(b, ',');
	trace(b, a);
	buf_adds(b, "}}");
}

void sandbox_meta_refuse(struct sb_answer *a, enum sb_refusal r)
{
	static const struct meta_error auth = {400, 190, 463, "OAuthException",
		"Error validating access token: Session has expired", NULL, NULL};
	static const struct meta_error rate = {
		400, 17, 0, "OAuthException", "User request limit reached", NULL, NULL};
	char text[300];
	snprintf(text, sizeof(text),
		"Unsupported post request. Object with ID '%s' does not exist, cannot be loaded due to "
		"missing permissions, or does not support this operation.",
		a->account);
	const struct meta_error config = {400, 100, 33, "GraphMethodException", text, NULL, NULL};
	fail(a, r == SB_REFUSE_AUTH ? &auth : r == SB_REFUSE_RATE ? &rate : &config);
}

static void fail_parameter(struct sb_answer *a, const struct sb_problem *p)
{
	char text[300];
	snprintf(text, sizeof(text), "(#100) Param %s: %s", p->path, p->text);
	fail(a, &(struct meta_error){
			400, 100, 0, "OAuthException", text, "Invalid parameter", text});
}

/* The subcodes that tell what is wrong with an event. */
enum {
	TOO_OLD = 2804003,
	BAD_FBC = 2804001,
	NO_VALUE = 2804009,
	NO_CURRENCY = 2804010,
	NO_USER = 2804050
};

static void fail_subcode(struct sb_answer *a, int subcode)
{
	struct meta_error f = {400, 100, subcode, "OAuthException", "Invalid parameter", "", ""};
	switch (subcode) {
	case TOO_OLD:
		f.title = "Event Timestamp Too Old";
		f.text =
			"The timestamp for this event is too far in the past. Events need to be sent from "
			"your server within 7 days of when they occurred. Enter a timestamp that has "
			"occurred within the last 7 days.";
		break;
	case BAD_FBC:
		f.title = "Click ID Incorrectly Formatted";
		f.text =
			"The click ID (_fbc) parameter is not formatted correctly. See the click ID "
			"parameter field for guidelines on formatting this parameter.";
		break;
	case NO_VALUE:
		f.title = "Missing Value for Purchase Event";
		f.text =
			"Your purchase event doesn\xe2\x80\x99t include a value parameter. Enter a value. "
			"For example: 1.99";
		break;
	case NO_CURRENCY:
		f.title = "Missing Currency for Purchase Event";
		f.text =
			"Your purchase event doesn\xe2\x80\x99t include a currency parameter. Enter a "
			"currency parameter. For example: USD";
		break;
	default:
		/* The platform localises this one; seen in Danish, so nobody may match its words.
		 */
		f.title = "H\xc3\xa6ndelsen har ikke nok kundedata";
		f.text = "Denne h\xc3\xa6ndelse har ikke tilstr\xc3\xa6kkelige kundeoplysninger.";
	}
	fail(a, &f);
}

/* Name and address alone are too broad to find a person by. */
static bool can_match(const json_t *user)
{
	static const char *const keys[] = {"em", "ph", "external_id", "fbc", "fbp", "lead_id",
		"madid", "fb_login_id", "subscription_id", "anon_id", "ctwa_clid"};
	for (size_t i = 0; i < TA_COUNT(keys); i++)
		if (sb_has(user, keys[i]))
			return true;
	return sb_get(user, "client_ip_address") && sb_get(user, "client_user_agent");
}

static int check_values(const json_t *ev, const struct sb_call *c, struct sb_problem *p)
{
	const json_t *custom = json_object_get(ev, "custom_data");
	int64_t t = json_integer_value(json_object_get(ev, "event_time"));
	bool store = strcmp(sb_get(ev, "action_source"), "physical_store") == 0;
	bool purchase = strcmp(sb_get(ev, "event_name"), "Purchase") == 0;
	if (t < c->now_s - (store ? MAX_AGE_STORE_S : MAX_AGE_S))
		return TOO_OLD;
	if (t > c->now_s + MAX_FUTURE_S)
		sb_report(p, SB_VALUE, "event_time", "is in the future");
	if (!can_match(json_object_get(ev, "user_data")))
		return NO_USER;
	if (purchase && !sb_has(custom, "value"))
		return NO_VALUE;
	if (!sb_has(custom, "currency") && (purchase || sb_has(custom, "value")))
		return NO_CURRENCY;
	const json_t *options = json_object_get(ev, "data_processing_options");
	for (size_t i = 0; i < json_array_size(options); i++)
		if (strcmp(json_string_value(json_array_get(options, i)), "LDU") != 0)
			sb_report(p, SB_VALUE, "data_processing_options", "may hold LDU only");
	return 0;
}

/* Accepted by the platform, yet nothing one should send: a browser event without the browser's
 * name or the page, a custom event that differs from a standard one only in its letters' case. */
static bool odd(const json_t *ev)
{
	const json_t *user = json_object_get(ev, "user_data");
	const char *name = sb_get(ev, "event_name");
	if (strcmp(sb_get(ev, "action_source"), "website") == 0 &&
		(!sb_has(user, "client_user_agent") || !sb_has(ev, "event_source_url")))
		return true;
	if (sb_in(standard_names, name))
		return false;
	for (size_t i = 0; standard_names[i]; i++)
		if (strcasecmp(standard_names[i], name) == 0)
			return true;
	return false;
}

/* Returns false when the event refuses the request; the answer is written then. */
static bool take(const struct sb_call *c, struct sb_answer *a, json_t *ev)
{
	struct sb_problem p = {0};
	int subcode = 0;
	sb_check(ev, &event_spec, &p);
	if (p.kind <= SB_VALUE)
		subcode =
			p.kind == SB_VALUE && p.type == SB_FBC ? BAD_FBC : check_values(ev, c, &p);
	if (!subcode && p.kind == SB_FINE &&
		fault_event(c->faults, FAULT_EVENT_FAIL, PLATFORM_META, a->account,
			sb_get(ev, "event_id")))
		subcode = NO_USER;
	if (subcode)
		fail_subcode(a, subcode);
	else if (p.kind != SB_FINE)
		fail_parameter(a, &p);
	if (subcode || p.kind != SB_FINE)
		return false;
	a->warned += odd(ev);
	sb_accept(a, sb_get(ev, "event_name"), ev);
	return true;
}

static bool read_path(const char *path, struct sb_answer *a)
{
	size_t n = strcspn(path + 1, "/");
	return strcmp(path + 1 + n, "/events") == 0 && sb_set_account(a, path + 1, n);
}

static bool read_top(const struct sb_call *c, struct sb_answer *a)
{
	char why[160];
	struct sb_problem p = {0};
	if (!sb_is_json(c)) {
		sb_report(&p, SB_TYPE, "Content-Type", "must be application/json");
	} else if (!(a->root = sb_parse(c, why))) {
		sb_report(&p, SB_TYPE, "body", why);
	} else {
		sb_check(a->root, &top_spec, &p);
		a->n = json_array_size(json_object_get(a->root, "data"));
	}
	const char *token = sb_get(a->root, "access_token");
	token = token ? token : c->query_token;
	if (!token && a->root) {
		fail(a, &(struct meta_error){400, 104, 0, "OAuthException",
				"An access token is required to request this resource.", NULL,
				NULL});
	} else if (token && sb_token_bad(token)) {
		sandbox_meta_refuse(a, SB_REFUSE_AUTH);
	} else if (sb_account_forbidden(a->account) ||
		   a->account[strspn(a->account, "0123456789")]) {
		sandbox_meta_refuse(a, SB_REFUSE_CONFIG);
	} else if (p.kind != SB_FINE) {
		fail_parameter(a, &p);
	} else if (a->n < 1 || a->n > SB_BATCH_MAX) {
		sb_report(&p, SB_VALUE, "data", "must hold 1 to 1000 events");
		fail_parameter(a, &p);
	} else {
		return true;
	}
	return false;
}

void sandbox_meta_handle(const struct sb_call *c, struct sb_answer *a)
{
	size_t i;
	json_t *ev;
	if (!read_path(c->path, a) || strcmp(c->method, "POST") != 0) {
		fail(a, &(struct meta_error){400, 2500, 0, "OAuthException",
				"Unknown path components", NULL, NULL});
		return;
	}
	if (!read_top(c, a))
		return;
	a->test = sb_has(a->root, "test_event_code");
	json_array_foreach(json_object_get(a->root, "data"), i, ev) if (!take(c, a, ev)) return;
	sb_answer_start(a, 200);
	buf_addf(&a->body, "{\"events_received\":%zu,\"messages\":[],", a->n);
	trace(&a->body, a);
	buf_addc(&a->body, '}');
}
