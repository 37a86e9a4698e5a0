/* Pinterest's API v5: its quality score and tags (GET, only what is documented as an argument) and
 * its conversions endpoint: POST /ad_accounts/{id}/events. Everything but
 * user_data is closed to unknown keys, one of which refuses the whole request (400, code 4196);
 * wrong values refuse their event alone (422, code 953, details per event). */
#include "net/sandbox_check.h"
#include "net/sandbox_fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_AGE_S    (INT64_C(7) * 86400)
#define MAX_FUTURE_S INT64_C(3600)

static const char *const event_names[] = {"add_payment_info", "add_to_cart", "add_to_wishlist",
	"app_install", "app_open", "checkout", "contact", "custom", "customize_product",
	"find_location", "initiate_checkout", "lead", "page_visit", "schedule", "search", "signup",
	"start_trial", "submit_application", "subscribe", "view_category", "view_content",
	"watch_video", NULL};
static const char *const action_sources[] = {"app_android", "app_ios", "web", "offline", NULL};

static const struct sb_field content_fields[] = {
	{.key = "id", .type = SB_ID},
	{.key = "item_price", .type = SB_DECIMAL},
	{.key = "quantity", .type = SB_INT},
	{.key = "item_name", .type = SB_STR},
	{.key = "item_category", .type = SB_STR},
	{.key = "item_brand", .type = SB_STR},
};
static const struct sb_spec content_spec = {content_fields, TA_COUNT(content_fields), false};

static const struct sb_field custom_fields[] = {
	{.key = "currency", .type = SB_CURRENCY},
	{.key = "value", .type = SB_DECIMAL},
	{.key = "content_ids", .type = SB_STRS},
	{.key = "content_name", .type = SB_STR},
	{.key = "content_category", .type = SB_STR},
	{.key = "content_brand", .type = SB_STR},
	{.key = "contents", .type = SB_OBJS, .sub = &content_spec},
	{.key = "num_items", .type = SB_INT},
	{.key = "order_id", .type = SB_ID},
	{.key = "search_string", .type = SB_STR},
	{.key = "predicted_ltv", .type = SB_DECIMAL},
	{.key = "opt_out_type", .type = SB_STR},
	{.key = "np", .type = SB_STR},
};
static const struct sb_spec custom_spec = {custom_fields, TA_COUNT(custom_fields), false};

static const struct sb_field user_fields[] = {
	{.key = "em", .type = SB_HASHES},
	{.key = "ph", .type = SB_HASHES},
	{.key = "ge", .type = SB_HASHES},
	{.key = "db", .type = SB_HASHES},
	{.key = "fn", .type = SB_HASHES},
	{.key = "ln", .type = SB_HASHES},
	{.key = "ct", .type = SB_HASHES},
	{.key = "st", .type = SB_HASHES},
	{.key = "zp", .type = SB_HASHES},
	{.key = "country", .type = SB_HASHES},
	{.key = "external_id", .type = SB_HASHES},
	{.key = "hashed_maids", .type = SB_HASHES},
	{.key = "client_ip_address", .type = SB_IP},
	{.key = "client_user_agent", .type = SB_ID},
	{.key = "click_id", .type = SB_ID},
	{.key = "partner_id", .type = SB_ID},
};
static const struct sb_spec user_spec = {user_fields, TA_COUNT(user_fields), true};

static const struct sb_field app_fields[] = {
	{.key = "app_id", .type = SB_STR},
	{.key = "app_name", .type = SB_STR},
	{.key = "app_package_name", .type = SB_STR},
	{.key = "app_store", .type = SB_STR},
	{.key = "app_version", .type = SB_STR},
	{.key = "install_time", .type = SB_INT},
	{.key = "user_agent", .type = SB_STR},
	{.key = "window_height", .type = SB_INT},
	{.key = "window_width", .type = SB_INT},
};
static const struct sb_spec app_spec = {app_fields, TA_COUNT(app_fields), false};

static const struct sb_field device_fields[] = {
	{.key = "brand", .type = SB_STR},
	{.key = "carrier", .type = SB_STR},
	{.key = "form_factor", .type = SB_STR},
	{.key = "kernel_version", .type = SB_STR},
	{.key = "languages", .type = SB_STRS},
	{.key = "locale", .type = SB_STR},
	{.key = "model", .type = SB_STR},
	{.key = "network_type", .type = SB_STR},
};
static const struct sb_spec device_spec = {device_fields, TA_COUNT(device_fields), false};

static const struct sb_field event_fields[] = {
	{.key = "event_name", .type = SB_WORD, .required = true, .words = event_names},
	{.key = "action_source", .type = SB_ID, .required = true},
	{.key = "event_time", .type = SB_INT, .required = true},
	{.key = "event_id", .type = SB_ID, .required = true},
	{.key = "user_data", .type = SB_OBJ, .required = true, .sub = &user_spec},
	{.key = "custom_data", .type = SB_OBJ, .sub = &custom_spec},
	{.key = "event_source_url", .type = SB_STR_NULL},
	{.key = "opt_out", .type = SB_BOOL},
	{.key = "partner_name", .type = SB_STR_NULL},
	{.key = "language", .type = SB_LANGUAGE},
	{.key = "wifi", .type = SB_BOOL_NULL},
	{.key = "app_id", .type = SB_STR_NULL},
	{.key = "app_name", .type = SB_STR_NULL},
	{.key = "app_version", .type = SB_STR_NULL},
	{.key = "device_brand", .type = SB_STR_NULL},
	{.key = "device_carrier", .type = SB_STR_NULL},
	{.key = "device_model", .type = SB_STR_NULL},
	{.key = "device_type", .type = SB_STR_NULL},
	{.key = "os_version", .type = SB_STR_NULL},
	{.key = "app_info", .type = SB_OBJ, .sub = &app_spec},
	{.key = "device_info", .type = SB_OBJ, .sub = &device_spec},
};
static const struct sb_spec event_spec = {event_fields, TA_COUNT(event_fields), false};

static void refuse(struct sb_answer *a, int http, int code, const char *message)
{
	sb_answer_start(a, http);
	a->nok = 0;
	buf_addf(&a->body, "{\"code\":%d,\"message\":", code);
	sb_json_string(&a->body, message);
	buf_addc(&a->body, '}');
}

void sandbox_pinterest_refuse(struct sb_answer *a, enum sb_refusal r)
{
	switch (r) {
	case SB_REFUSE_AUTH:
		refuse(a, 401, 2, "Authentication failed.");
		break;
	case SB_REFUSE_CONFIG:
		refuse(a, 403, 29, "You are not permitted to access that resource.");
		break;
	case SB_REFUSE_RATE:
		refuse(a, 429, 8,
			"This request exceeded a rate limit. This can happen if the client exceeds one\nof "
			"the published rate limits within a short time window.");
		break;
	}
}

/* An e-mail, a mobile advertising id, or address and browser together. */
static bool can_match(const json_t *user)
{
	return json_array_size(json_object_get(user, "em")) ||
	       json_array_size(json_object_get(user, "hashed_maids")) ||
	       (sb_get(user, "client_ip_address") && sb_get(user, "client_user_agent"));
}

static void check_money(const json_t *ev, struct sb_problem *p)
{
	const json_t *custom = json_object_get(ev, "custom_data"), *item;
	const char *name = sb_get(ev, "event_name"), *value = sb_get(custom, "value");
	const char *currency = sb_get(custom, "currency");
	bool purchase = name && strcmp(name, "checkout") == 0;
	size_t i;
	if (purchase && !value)
		sb_report(p, SB_VALUE, "custom_data.value", "is needed for a checkout");
	if (!currency && (value || purchase))
		sb_report(p, SB_VALUE, "custom_data.currency",
			"is needed: without it the advertiser's default currency would be taken");
	if (!currency || p->kind != SB_FINE)
		return;
	if (value && !sb_fits_currency(value, currency))
		sb_report(p, SB_VALUE, "custom_data.value", "has more decimals than its currency");
	json_array_foreach(json_object_get(custom, "contents"), i,
		item) if (sb_has(item, "item_price") &&
			  !sb_fits_currency(sb_get(item, "item_price"), currency)) sb_report(p,
		SB_VALUE, "custom_data.contents.item_price", "has more decimals than its currency");
}

static void check_event(const json_t *ev, const struct sb_call *c, struct sb_problem *p)
{
	sb_check(ev, &event_spec, p);
	if (p->kind > SB_VALUE)
		return;
	int64_t t = json_integer_value(json_object_get(ev, "event_time"));
	if (!can_match(json_object_get(ev, "user_data")))
		sb_report(p, SB_MISSING, "user_data",
			"needs em, hashed_maids, or client_ip_address with client_user_agent");
	if (!sb_in(action_sources, sb_get(ev, "action_source")))
		sb_report(p, SB_TYPE, "action_source",
			"is not one of app_android, app_ios, web, offline");
	if (t > c->now_s + MAX_FUTURE_S)
		sb_report(p, SB_VALUE, "event_time", "future");
	else if (t < c->now_s - MAX_AGE_S)
		sb_report(p, SB_VALUE, "event_time", "past");
	check_money(ev, p);
}

static void refuse_schema(struct sb_answer *a, const struct sb_problem *p)
{
	char text[300];
	if (p->kind == SB_UNKNOWN)
		snprintf(text, sizeof(text),
			"Invalid request: Additional properties are not allowed ('%s' was unexpected)",
			p->key);
	else if (p->kind == SB_MISSING && strcmp(p->path, "user_data") == 0 &&
		 strncmp(p->text, "needs", 5) == 0)
		snprintf(text, sizeof(text), "Invalid request: user_data %s", p->text);
	else if (p->kind == SB_MISSING)
		snprintf(
			text, sizeof(text), "Invalid request: '%s' is a required property", p->key);
	else
		snprintf(text, sizeof(text), "Invalid request: '%s': %s", p->path, p->text);
	refuse(a, 400, 4196, text);
}

static void write_failure(
	struct buf *b, const json_t *ev, const struct sb_problem *p, const struct sb_call *c)
{
	char text[300];
	int64_t t = json_integer_value(json_object_get(ev, "event_time"));
	if (strcmp(p->path, "event_time") == 0)
		snprintf(text, sizeof(text),
			"Invalid event_timestamp parameter. Given timestamp is in the %s. Current "
			"timestamp: %lld, Given event_timestamp: %lld",
			p->text, (long long)c->now_s, (long long)t);
	else
		snprintf(text, sizeof(text), "Invalid %s parameter: %s", p->path, p->text);
	buf_adds(b, "{\"status\":\"failed\",\"error_message\":");
	sb_json_string(b, text);
	buf_adds(b, ",\"warning_message\":\"\"}");
}

static void answer(const struct sb_call *c, struct sb_answer *a, const json_t *data,
	const struct sb_problem *ps)
{
	struct buf list = BUF_INIT((size_t)64 << 20);
	for (size_t i = 0; i < a->n; i++) {
		json_t *ev = json_array_get(data, i);
		buf_adds(&list, i ? "," : "");
		if (ps[i].kind != SB_FINE) {
			write_failure(&list, ev, &ps[i], c);
			continue;
		}
		sb_accept(a, sb_get(ev, "event_name"), ev);
		buf_adds(&list,
			"{\"status\":\"processed\",\"error_message\":null,\"warning_message\":null}");
	}
	sb_answer_start(a, a->nok == a->n ? 200 : 422);
	if (a->http == 422)
		buf_adds(&a->body,
			"{\"code\":953,\"message\":\"The action could not be processed properly due to some "
			"or all data provided being invalid.\",\"details\":");
	buf_addf(&a->body, "{\"num_events_received\":%zu,\"num_events_processed\":%zu,\"events\":[",
		a->n, a->nok);
	buf_add(&a->body, list.p, list.len);
	buf_adds(&a->body, a->http == 422 ? "]}}" : "]}");
	buf_release(&list);
}

/* Takes the account out of /ad_accounts/{id}/… and leaves *rest at what follows it. */
static bool read_path(const char *path, struct sb_answer *a, const char **rest)
{
	static const char head[] = "/ad_accounts/";
	if (strncmp(path, head, sizeof(head) - 1) != 0)
		return false;
	path += sizeof(head) - 1;
	size_t n = strcspn(path, "/");
	*rest = path + n;
	return sb_set_account(a, path, n);
}

static bool authorized(const struct sb_call *c, struct sb_answer *a)
{
	const char *h = c->authorization ? c->authorization : "";
	const char *token = strncmp(h, "Bearer ", 7) == 0 ? h + 7 : "";
	size_t digits = strspn(a->account, "0123456789");
	if (!*token || strchr(token, ' ') || sb_token_bad(token)) {
		sandbox_pinterest_refuse(a, SB_REFUSE_AUTH);
	} else if (strncmp(token, "scope", 5) == 0) {
		refuse(a, 401, 3,
			"Your token does not have sufficient permissions to perform this operation. Please "
			"ensure your token is authorized with the correct set of scopes.");
	} else if (sb_account_forbidden(a->account)) {
		sandbox_pinterest_refuse(a, SB_REFUSE_CONFIG);
	} else if (a->account[digits] || digits > 18) {
		refuse(a, 400, 4196, "Invalid request: ad_account_id does not match '^\\d+$'");
	} else {
		return true;
	}
	return false;
}

static const json_t *read_data(const struct sb_call *c, struct sb_answer *a)
{
	char why[160], text[300];
	if (!sb_is_json(c)) {
		refuse(a, 400, 4196, "Invalid request: Content-Type must be application/json");
		return NULL;
	}
	a->root = sb_parse(c, why);
	const json_t *data = json_object_get(a->root, "data");
	if (!a->root) {
		snprintf(text, sizeof(text), "Invalid request: %s", why);
		refuse(a, 400, 4196, text);
		return NULL;
	}
	a->n = json_array_size(data);
	if (json_object_size(a->root) != (data ? 1u : 0u)) {
		refuse(a, 400, 4196,
			"Invalid request: Additional properties are not allowed beside 'data'");
		return NULL;
	}
	if (!json_is_array(data) || a->n < 1 || a->n > SB_BATCH_MAX) {
		refuse(a, 400, 4196,
			"Invalid request: 'data' must be an array of 1 to 1000 events");
		return NULL;
	}
	return data;
}

/* Asking ----------------------------------------------------------------------------------------
 */

struct argument {
	const char *name;
	const char *const *words; /* one of these; NULL-terminated */
	bool required;
};

static const char *const periods[] = {"1d", "14d", NULL};
static const char *const platforms[] = {"WEB", "MOBILE", "MOBILE_ANDROID", "MOBILE_IOS", "OFFLINE",
	"PINTEREST_WEB", "PINTEREST_ANDROID", "PINTEREST_IOS", "POINT_OF_SALE", NULL};
static const char *const sources[] = {
	"TAG", "MMP", "FILE_UPLOAD", "CONVERSIONS_API", "NATIVE", NULL};
static const char *const booleans[] = {"true", "false", NULL};

static const struct argument score_arguments[] = {{"lookback_period", periods, true},
	{"source_platform", platforms, false}, {"ingestion_source", sources, false}, {0}};
static const struct argument tag_arguments[] = {{"filter_deleted", booleans, false}, {0}};

/* The value of an argument, cut into `value`; false: it is not there. */
static bool argument_of(const char *query, const char *name, char value[40])
{
	size_t n = strlen(name);
	for (const char *p = query; p && *p; p += strcspn(p, "&"), p += *p == '&')
		if (strncmp(p, name, n) == 0 && p[n] == '=') {
			snprintf(value, 40, "%.*s", (int)TA_MIN(strcspn(p + n + 1, "&"), 39u),
				p + n + 1);
			return true;
		}
	return false;
}

/* Only known arguments with known words, none missing. */
static bool arguments_fit(
	const struct sb_call *c, const struct argument *known, struct sb_answer *a)
{
	char text[200], value[40];
	for (const char *p = c->query; p && *p; p += strcspn(p, "&"), p += *p == '&') {
		const struct argument *k = known;
		size_t n = strcspn(p, "=&");
		while (k->name && !(strlen(k->name) == n && strncmp(k->name, p, n) == 0))
			k++;
		if (k->name)
			continue;
		snprintf(text, sizeof(text), "Invalid request: unknown parameter '%.*s'",
			(int)TA_MIN(n, 60u), p);
		refuse(a, 400, 1, text);
		return false;
	}
	for (; known->name; known++) {
		bool there = argument_of(c->query, known->name, value);
		if (there ? sb_in(known->words, value) : !known->required)
			continue;
		snprintf(text, sizeof(text), "Invalid request: '%s' is %s", known->name,
			there ? "not one of its values" : "a required parameter");
		refuse(a, 400, 1, text);
		return false;
	}
	return true;
}

/* One score of an API source, as a shop with a few gaps has it. */
static void answer_scores(const struct sb_call *c, struct sb_answer *a)
{
	static const struct {
		const char *component;
		int coverage;
	} parts[] = {{"hashed_email", 91}, {"click_id_epik", 34}, {"ip_address", 98},
		{"user_agent", 98}, {"external_event_id", 100}, {"order_id", 100},
		{"order_value", 100}, {"product_id", 96}, {"source_url", 88}};
	char period[40] = "", source[40] = "CONVERSIONS_API", platform[40] = "WEB";
	(void)argument_of(c->query, "lookback_period", period);
	(void)argument_of(c->query, "ingestion_source", source);
	(void)argument_of(c->query, "source_platform", platform);
	sb_answer_start(a, 200);
	buf_addf(&a->body,
		"[{\"overall_status\":\"FAIR\",\"ingestion_source\":\"%s\",\"source_platform\":\"%s\","
		"\"lookback_period\":\"%s\",\"quality_components\":{",
		source, platform, period);
	for (size_t i = 0; i < TA_COUNT(parts); i++) {
		buf_addf(&a->body, "%s\"%s\":{\"checkout\":{\"coverage\":%d", i ? "," : "",
			parts[i].component, parts[i].coverage);
		if (strcmp(parts[i].component, "external_event_id") == 0)
			buf_adds(&a->body, ",\"overlap\":72.5");
		if (parts[i].coverage < 50)
			buf_adds(&a->body,
				",\"issues\":[{\"id\":\"low_coverage\",\"name\":\"Low coverage\","
				"\"reason\":\"Fewer events carry it than those of similar shops.\"}]");
		buf_adds(&a->body, "}}");
	}
	buf_adds(&a->body, "}}]");
}

static void answer_tags(const struct sb_call *c, struct sb_answer *a)
{
	sb_answer_start(a, 200);
	buf_addf(&a->body,
		"{\"items\":[{\"id\":\"2617998078212\",\"ad_account_id\":\"%s\",\"name\":\"Shop "
		"tag\",\"status\":\"ACTIVE\",\"version\":\"3\",\"enhanced_match_status\":"
		"\"VALIDATION_COMPLETE\",\"last_fired_time_ms\":%lld,\"configs\":{\"aem_enabled\":"
		"true}}]}",
		a->account, (long long)(c->now_s - 90) * 1000);
}

static void handle_get(const struct sb_call *c, struct sb_answer *a, const char *rest)
{
	bool scores = strcmp(rest, "/conversion_eqs") == 0;
	a->asks = true;
	if (!scores && strcmp(rest, "/conversion_tags") != 0) {
		refuse(a, 404, 1, "There is no such endpoint.");
		return;
	}
	if (!authorized(c, a) || !arguments_fit(c, scores ? score_arguments : tag_arguments, a))
		return;
	if (c->len)
		refuse(a, 400, 1, "Invalid request: a GET has no body");
	else if (scores)
		answer_scores(c, a);
	else
		answer_tags(c, a);
}

void sandbox_pinterest_handle(const struct sb_call *c, struct sb_answer *a)
{
	const struct sb_problem *worst = NULL;
	const char *rest = "";
	bool account = read_path(c->path, a, &rest);
	if (account && strcmp(c->method, "GET") == 0) {
		handle_get(c, a, rest);
		return;
	}
	if (!account || strcmp(c->method, "POST") != 0 || strcmp(rest, "/events") != 0) {
		refuse(a, 404, 1, "There is no such endpoint.");
		return;
	}
	a->test = c->query_test && strcmp(c->query_test, "true") == 0;
	const json_t *data = authorized(c, a) ? read_data(c, a) : NULL;
	if (!data)
		return;
	struct sb_problem *ps = ta_alloc(a->n * sizeof(*ps));
	for (size_t i = 0; i < a->n; i++) {
		const json_t *ev = json_array_get(data, i);
		check_event(ev, c, &ps[i]);
		if (ps[i].kind > SB_VALUE && !worst)
			worst = &ps[i];
		if (ps[i].kind == SB_FINE &&
			fault_event(c->faults, FAULT_EVENT_FAIL, PLATFORM_PINTEREST, a->account,
				sb_get(ev, "event_id")))
			sb_report(&ps[i], SB_VALUE, "user_data.em",
				"hashed value was not recognised");
	}
	if (worst)
		refuse_schema(a, worst);
	else
		answer(c, a, data, ps);
	free(ps);
}
