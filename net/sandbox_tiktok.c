/* TikTok's Events API 2.0, v1.3: POST /event/track/. HTTP is 200 whatever happens; the code in
 * the body tells. A parameter that is not right refuses the whole request with code 40002 and
 * a message that holds its path, "Batch.<index>.<path>: …". */
#include "net/sandbox_check.h"
#include "net/sandbox_fault.h"

#include <stdio.h>
#include <string.h>

#define MAX_AGE_S    (INT64_C(28) * 86400)
#define MAX_FUTURE_S INT64_C(3600)

static const char *const sources[] = {"web", "app", "offline", "crm", NULL};
static const char *const content_types[] = {"product", "product_group", NULL};
static const char *const event_names[] = {"ViewContent", "AddToCart", "AddToWishlist",
	"InitiateCheckout", "AddPaymentInfo", "PlaceAnOrder", "Purchase", "CompletePayment",
	"Search", "Contact", "Download", "SubmitForm", "Lead", "CompleteRegistration", "Subscribe",
	"ClickButton", "Pageview", "CustomizeProduct", "FindLocation", "Schedule", "StartTrial",
	"SubmitApplication", "ApplicationApproval", NULL};

static const struct sb_field content_fields[] = {
	{.key = "content_id", .type = SB_ID},
	{.key = "content_name", .type = SB_STR},
	{.key = "content_category", .type = SB_STR},
	{.key = "brand", .type = SB_STR},
	{.key = "price", .type = SB_NUM},
	{.key = "quantity", .type = SB_INT},
};
static const struct sb_spec content_spec = {content_fields, TA_COUNT(content_fields), false};

static const struct sb_field property_fields[] = {
	{.key = "currency", .type = SB_CURRENCY},
	{.key = "value", .type = SB_NUM},
	{.key = "content_type", .type = SB_WORD, .words = content_types},
	{.key = "contents", .type = SB_OBJS, .sub = &content_spec},
	{.key = "num_items", .type = SB_INT},
	{.key = "order_id", .type = SB_ID},
	{.key = "query", .type = SB_STR},
	{.key = "description", .type = SB_STR},
};
static const struct sb_spec property_spec = {property_fields, TA_COUNT(property_fields), false};

static const struct sb_field user_fields[] = {
	{.key = "email", .type = SB_HASH_OR_HASHES},
	{.key = "phone", .type = SB_HASH_OR_HASHES},
	{.key = "external_id", .type = SB_HASH_OR_HASHES},
	{.key = "ttclid", .type = SB_ID},
	{.key = "ttp", .type = SB_ID},
	{.key = "ip", .type = SB_IP},
	{.key = "user_agent", .type = SB_ID},
	{.key = "locale", .type = SB_ID},
	{.key = "first_name", .type = SB_HASH},
	{.key = "last_name", .type = SB_HASH},
	{.key = "zip_code", .type = SB_HASH},
	{.key = "city", .type = SB_PLAIN},
	{.key = "state", .type = SB_PLAIN},
	{.key = "country", .type = SB_PLAIN},
};
static const struct sb_spec user_spec = {user_fields, TA_COUNT(user_fields), false};

static const struct sb_field page_fields[] = {
	{.key = "url", .type = SB_ID},
	{.key = "referrer", .type = SB_ID},
};
static const struct sb_spec page_spec = {page_fields, TA_COUNT(page_fields), false};
static const struct sb_spec any_spec = {NULL, 0, true};

static const struct sb_field event_fields[] = {
	{.key = "event", .type = SB_WORD, .required = true, .words = event_names},
	{.key = "event_time", .type = SB_INT, .required = true},
	{.key = "event_id", .type = SB_ID, .required = true},
	{.key = "user", .type = SB_OBJ, .required = true, .sub = &user_spec},
	{.key = "properties", .type = SB_OBJ, .sub = &property_spec},
	{.key = "page", .type = SB_OBJ, .sub = &page_spec},
	{.key = "limited_data_use", .type = SB_BOOL},
	{.key = "lead", .type = SB_OBJ, .sub = &any_spec},
	{.key = "app", .type = SB_OBJ, .sub = &any_spec},
	{.key = "ad", .type = SB_OBJ, .sub = &any_spec},
};
static const struct sb_spec event_spec = {event_fields, TA_COUNT(event_fields), false};

static const struct sb_field top_fields[] = {
	{.key = "event_source", .type = SB_WORD, .required = true, .words = sources},
	{.key = "event_source_id", .type = SB_ID, .required = true},
	{.key = "test_event_code", .type = SB_ID},
	{.key = "partner_name", .type = SB_ID},
	{.key = "data", .type = SB_OBJS, .required = true, .sub = &any_spec},
};
static const struct sb_spec top_spec = {top_fields, TA_COUNT(top_fields), false};

static void reply(struct sb_answer *a, int code, const char *message)
{
	uint64_t id = UINT64_C(0x9e3779b97f4a7c15);
	for (const char *s = a->account; *s; s++)
		id = (id ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	sb_answer_start(a, 200);
	buf_addf(&a->body, "{\"code\":%d,\"message\":", code);
	sb_json_string(&a->body, message);
	buf_addf(&a->body, ",\"request_id\":\"20261122%016llX%08zX\",\"data\":{}}",
		(unsigned long long)id, a->n);
}

static void refuse(struct sb_answer *a, int code, const char *message)
{
	a->nok = 0;
	reply(a, code, message);
}

void sandbox_tiktok_refuse(struct sb_answer *a, enum sb_refusal r)
{
	char text[200];
	switch (r) {
	case SB_REFUSE_AUTH:
		refuse(a, 40105, "Access token is incorrect or has been revoked.");
		break;
	case SB_REFUSE_CONFIG:
		snprintf(text, sizeof(text),
			"No permission to operate pixel code: %s. You must be an admin or operator of this "
			"advertiser account.",
			a->account);
		refuse(a, 40001, text);
		break;
	case SB_REFUSE_RATE:
		refuse(a, 40100, "Too many requests. Please retry in some time.");
		break;
	}
}

static bool can_match(const json_t *user)
{
	static const char *const keys[] = {"email", "phone", "external_id", "ttclid", "ttp"};
	for (size_t i = 0; i < TA_COUNT(keys); i++)
		if (sb_has(user, keys[i]))
			return true;
	return sb_get(user, "ip") && sb_get(user, "user_agent");
}

static void check_event(const json_t *ev, const struct sb_call *c, struct sb_problem *p)
{
	sb_check(ev, &event_spec, p);
	if (p->kind > SB_VALUE)
		return;
	const json_t *properties = json_object_get(ev, "properties");
	const char *name = sb_get(ev, "event");
	bool purchase = strcmp(name, "Purchase") == 0 || strcmp(name, "CompletePayment") == 0;
	int64_t t = json_integer_value(json_object_get(ev, "event_time"));
	if (t > c->now_s + MAX_FUTURE_S)
		sb_report(p, SB_VALUE, "event_time", "is in the future");
	if (t < c->now_s - MAX_AGE_S)
		sb_report(p, SB_VALUE, "event_time", "is too far in the past");
	if (!can_match(json_object_get(ev, "user")))
		sb_report(p, SB_VALUE, "user",
			"needs one of email, phone, external_id, ttclid, ttp, or ip with user_agent");
	if (purchase && !sb_has(properties, "value"))
		sb_report(p, SB_VALUE, "properties.value", "Missing data for required field");
	if (!sb_has(properties, "currency") && (purchase || sb_has(properties, "value")))
		sb_report(p, SB_VALUE, "properties.currency", "Missing data for required field");
}

static void refuse_event(struct sb_answer *a, size_t i, const struct sb_problem *p)
{
	char text[300];
	/* The one message of the platform that was seen without an index. */
	if (p->kind == SB_TYPE && strcmp(p->path, "event_id") == 0)
		snprintf(text, sizeof(text), "Invalid value for event_id: not a valid string.");
	else
		snprintf(text, sizeof(text), "Batch.%zu.%s: %s", i, p->path, p->text);
	refuse(a, 40002, text);
}

static bool read_top(const struct sb_call *c, struct sb_answer *a)
{
	char why[160], text[300];
	struct sb_problem p = {0};
	const char *token = c->access_token ? c->access_token : "";
	a->root = sb_is_json(c) ? sb_parse(c, why) : NULL;
	const char *pixel = sb_get(a->root, "event_source_id");
	if (pixel && !sb_set_account(a, pixel, strlen(pixel)))
		sb_report(&p, SB_VALUE, "event_source_id", "Not a valid pixel code");
	a->n = json_array_size(json_object_get(a->root, "data"));
	if (a->root)
		sb_check(a->root, &top_spec, &p);
	if (!*token || strncmp(token, "Bearer ", 7) == 0 || sb_token_bad(token)) {
		sandbox_tiktok_refuse(a, SB_REFUSE_AUTH);
	} else if (!a->root) {
		snprintf(text, sizeof(text), "%s",
			sb_is_json(c) ? why : "Content-Type must be JSON");
		refuse(a, 40002, text);
	} else if (p.kind != SB_FINE) {
		snprintf(text, sizeof(text), "%s: %s", p.path, p.text);
		refuse(a, 40002, text);
	} else if (sb_account_forbidden(a->account)) {
		sandbox_tiktok_refuse(a, SB_REFUSE_CONFIG);
	} else if (a->n < 1 || a->n > SB_BATCH_MAX) {
		refuse(a, 40002, "data: Length must be between 1 and 1000.");
	} else {
		return true;
	}
	return false;
}

void sandbox_tiktok_handle(const struct sb_call *c, struct sb_answer *a)
{
	size_t i;
	json_t *ev;
	if (strcmp(c->path, "/event/track/") != 0 || strcmp(c->method, "POST") != 0) {
		refuse(a, 40002, "There is no such endpoint.");
		return;
	}
	if (!read_top(c, a))
		return;
	a->test = sb_has(a->root, "test_event_code");
	json_array_foreach(json_object_get(a->root, "data"), i, ev)
	{
		struct sb_problem p = {0};
		check_event(ev, c, &p);
		const char *id = sb_get(ev, "event_id");
		if (p.kind == SB_FINE &&
			fault_event(c->faults, FAULT_EVENT_FAIL, PLATFORM_TIKTOK, a->account, id))
			sb_report(&p, SB_VALUE, "user.email", "Not a valid hash");
		if (p.kind != SB_FINE) {
			refuse_event(a, i, &p);
			return;
		}
		if (!fault_event(c->faults, FAULT_PARTIAL, PLATFORM_TIKTOK, a->account, id))
			sb_accept(a, sb_get(ev, "event"), ev);
	}
	if (a->nok == a->n)
		reply(a, 0, "OK");
	else
		reply(a, 20001, "Partial success: some events were not processed.");
}
