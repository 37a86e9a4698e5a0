#include "src/rule_action_apply.h"

#include "src/arena.h"
#include "src/identity.h"
#include "src/name_map.h"
#include "src/rule_event.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define CUSTOM "custom."

bool rule_action_changes(enum rule_action kind)
{
	return kind == ACTION_RENAME || kind == ACTION_SET || kind == ACTION_REMOVE;
}

/* Renaming ---------------------------------------------------------------------------------- */

/* One of our names, which the pixel's own names then apply to, or the platform's word itself. */
static enum ta_rc apply_rename(
	const char *name, enum platform_id platform, struct event *ev, struct ta_err *err)
{
	int ours = event_of(name);
	if (ours >= 0 && !platform_event(PLATFORM_META, (enum event_name)ours))
		return ta_fail(err, TA_INVALID,
			"it is to be renamed to %s, which is kept for our own books", name);
	if (ours < 0) {
		ev->sent_as = name;
		return platform_event_check(platform, name, err);
	}
	ev->name = (enum event_name)ours;
	ev->custom_name = NULL;
	return TA_OK;
}

/* Texts ------------------------------------------------------------------------------------- */

static const char *plain(struct arena *a, const char *text, const struct event *ev)
{
	(void)ev;
	return identity_text(a, text);
}

static const char *email(struct arena *a, const char *text, const struct event *ev)
{
	(void)ev;
	return identity_email(a, text, true);
}

static const char *phone(struct arena *a, const char *text, const struct event *ev)
{
	/* Digits alone are what the field holds: with the country's code, never a local number. */
	bool digits = text[0] != '0' && text[strspn(text, "0123456789")] == '\0';
	(void)ev;
	return identity_phone(a, digits ? arena_fmt(a, "+%s", text) : text, NULL, true);
}

static const char *country(struct arena *a, const char *text, const struct event *ev)
{
	(void)a;
	(void)ev;
	return identity_country(text);
}

static const char *birthdate(struct arena *a, const char *text, const struct event *ev)
{
	(void)ev;
	return identity_birthdate(a, text, true);
}

static const char *gender(struct arena *a, const char *text, const struct event *ev)
{
	(void)ev;
	return identity_gender(a, text, true);
}

static const char *ip(struct arena *a, const char *text, const struct event *ev)
{
	unsigned char raw[16];
	(void)ev;
	bool fine = inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
	return fine ? arena_strdup(a, text) : NULL;
}

static const char *url(struct arena *a, const char *text, const struct event *ev)
{
	(void)ev;
	bool fine = strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
	return fine ? arena_strdup(a, text) : NULL;
}

/* Fields that take some texts only, in the form in which sources store them. */
static const struct {
	const char *field, *expected;
	const char *(*clean)(struct arena *a, const char *text, const struct event *ev);
} forms[] = {
	{"user.email", "an e-mail address", email},
	{"user.phone", "a phone number with its country's code, such as +4930123456", phone},
	{"user.country", "a country's two letters", country},
	{"user.birthdate", "a date such as 1990-01-31", birthdate},
	{"user.gender", "f, m or n", gender},
	{"user.ip", "an IPv4 or IPv6 address", ip},
	{"event.url", "an http or https address", url},
	{"event.referrer", "an http or https address", url},
};

static enum ta_rc set_text(
	struct arena *a, const struct rule_term *t, struct event *ev, struct ta_err *err)
{
	const char *expected = "a text that is not blank", *text;
	const char *(*clean)(struct arena *, const char *, const struct event *) = plain;
	size_t offset;
	if (!rule_event_place(t->field, &offset))
		return ta_fail(err, TA_INVALID, "%s cannot be set", t->field);
	for (size_t i = 0; i < TA_COUNT(forms); i++)
		if (strcmp(forms[i].field, t->field) == 0) {
			expected = forms[i].expected;
			clean = forms[i].clean;
		}
	text = clean(a, t->text, ev);
	if (!text)
		return ta_fail(err, TA_INVALID, "%s: expected %s, not \"%.60s\"", t->field,
			expected, t->text);
	memcpy((char *)ev + offset, &text, sizeof(text));
	return TA_OK;
}

/* Money ------------------------------------------------------------------------------------- */

/* Prices in another currency than the value's would be read as if they were in it. */
static void drop_prices(struct arena *a, struct event *ev, const char *currency)
{
	struct event_item *items = arena_alloc(a, ev->nitems * sizeof(*items));
	for (size_t i = 0; i < ev->nitems; i++) {
		items[i] = ev->items[i];
		if (strcmp(items[i].price.currency, currency) != 0)
			items[i].has_price = false;
	}
	ev->items = items;
}

static enum ta_rc set_value(
	struct arena *a, const struct rule_term *t, struct event *ev, struct ta_err *err)
{
	const char *currency = t->currency[0]  ? t->currency
			       : ev->has_value ? ev->value.currency
					       : ev->currency;
	struct money m;
	struct ta_err why = {0};
	if (!currency)
		return ta_fail(err, TA_INVALID,
			"value: neither the rule nor the event says a currency; write %s EUR",
			t->text);
	if (money_parse(t->text, currency, &m, &why))
		return ta_fail(err, TA_INVALID, "value: %.180s", why.msg);
	ev->has_value = true;
	ev->value = m;
	ev->currency = arena_strdup(a, m.currency);
	drop_prices(a, ev, m.currency);
	return TA_OK;
}

/* The custom object ------------------------------------------------------------------------- */

/* The object that the path's last name belongs to, made where it is missing (`make`); NULL when
 * there is none. `last` is that name. */
static json_t *holder_of(json_t *o, struct arena *a, const char *path, bool make, const char **last)
{
	for (const char *dot; (dot = strchr(path, '.')); path = dot + 1) {
		const char *name = arena_strndup(a, path, (size_t)(dot - path));
		json_t *inner = json_object_get(o, name);
		if (!json_is_object(inner) && !make)
			return NULL;
		if (!json_is_object(inner)) {
			inner = json_object();
			json_object_set_new(o, name, inner);
		}
		o = inner;
	}
	*last = path;
	return o;
}

static json_t *custom_value(const struct rule_term *t)
{
	if (t->type == TERM_BOOL)
		return json_boolean(t->b);
	if (t->type == TERM_NUMBER)
		return json_loads(t->text, JSON_DECODE_ANY, NULL);
	return json_string(t->text);
}

/* Sets (or takes away, when the term has no value) a member of the custom object. */
static void change_custom(struct arena *a, const struct rule_term *t, struct event *ev)
{
	bool set = t->type != TERM_NONE;
	const char *last = NULL;
	json_t *all = ev->custom ? json_loads(ev->custom, JSON_ALLOW_NUL, NULL) : json_object();
	if (!json_is_object(all)) { /* numbers that nobody can hold: it stays as it is */
		json_decref(all);
		return;
	}
	json_t *o = holder_of(all, a, t->field + strlen(CUSTOM), set, &last);
	if (o && set)
		json_object_set_new(o, last, custom_value(t));
	else if (o)
		json_object_del(o, last);
	char *text = json_object_size(all) ? json_dumps(all, JSON_COMPACT) : NULL;
	ev->custom = text ? arena_strdup(a, text) : NULL;
	free(text);
	json_decref(all);
}

/* Setting and removing ---------------------------------------------------------------------- */

static enum ta_rc apply_set(
	struct arena *a, const struct rule_term *t, struct event *ev, struct ta_err *err)
{
	if (strcmp(t->field, "value") == 0)
		return set_value(a, t, ev, err);
	if (strncmp(t->field, CUSTOM, strlen(CUSTOM)) != 0)
		return set_text(a, t, ev, err);
	change_custom(a, t, ev);
	return TA_OK;
}

static void apply_remove(struct arena *a, const struct rule_term *t, struct event *ev)
{
	static const char *const none = NULL;
	size_t offset;
	if (strcmp(t->field, "value") == 0)
		ev->has_value = false; /* the currency of the prices stays */
	else if (strcmp(t->field, "items") == 0)
		ev->nitems = 0;
	else if (strcmp(t->field, "user") == 0)
		ev->user = (struct event_user){0};
	else if (strcmp(t->field, "utm") == 0)
		ev->utm = (struct event_utm){0};
	else if (strcmp(t->field, "click") == 0)
		ev->click = (struct event_click){0};
	else if (strcmp(t->field, "custom") == 0)
		ev->custom = NULL;
	else if (rule_event_place(t->field, &offset))
		memcpy((char *)ev + offset, &none, sizeof(none));
	else
		change_custom(a, t, ev);
}

enum ta_rc rule_action_apply(struct arena *a, const struct rule_act *act, enum platform_id platform,
	const struct event *in, struct event *out, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	*out = *in;
	if (act->kind == ACTION_RENAME)
		return apply_rename(act->name, platform, out, err);
	for (size_t i = 0; !rc && i < act->nterms; i++)
		if (act->kind == ACTION_SET)
			rc = apply_set(a, &act->terms[i], out, err);
		else
			apply_remove(a, &act->terms[i], out);
	return rc;
}

/* Checking ---------------------------------------------------------------------------------- */

/* A name that no platform in the rule's scope takes would fail for every event. */
static enum ta_rc check_rename(const struct rule_act *act, int platform, struct ta_err *err)
{
	struct event probe = {0};
	struct ta_err why = {0};
	enum ta_rc rc = TA_INVALID;
	int first = platform < 0 ? 0 : platform,
	    last = platform < 0 ? PLATFORM_SHEETS - 1 : platform;
	for (int p = first; p <= last && rc; p++) {
		probe = (struct event){0};
		rc = apply_rename(act->name, (enum platform_id)p, &probe, &why);
	}
	return rc ? ta_fail_field(err, "with", "with: %s", why.msg) : TA_OK;
}

enum ta_rc rule_action_check(const struct rule_act *act, int platform, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct event probe = {.currency = "EUR"}, out;
	struct ta_err why = {0};
	enum ta_rc rc = TA_OK;
	if (act->kind == ACTION_RENAME)
		return check_rename(act, platform, err);
	for (size_t i = 0; act->kind == ACTION_SET && !rc && i < act->nterms; i++) {
		const struct rule_term *t = &act->terms[i];
		struct rule_act one = {.kind = ACTION_SET, .terms = t, .nterms = 1};
		if (strcmp(t->field, "value") != 0 || t->currency[0])
			rc = rule_action_apply(&a, &one, PLATFORM_PINTEREST, &probe, &out, &why);
	}
	arena_release(&a);
	return rc ? ta_fail_field(err, "with", "with: %s", why.msg) : TA_OK;
}
