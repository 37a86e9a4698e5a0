#include "src/provenance.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/identity.h"
#include "src/item_id.h"
#include "src/json.h"
#include "src/json_cut.h"
#include "src/rule_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 20000 /* of one event: 1,000 items and some */

struct row {
	enum platform_id platform;
	const char *path, *source, *how;
};
static const struct row rows[] = {
#define OUT(platform, path, source, how) {PLATFORM_##platform, path, source, how},
#include "src/outgoing.def"
#undef OUT
};

static const struct {
	const char *place, *where;
} origins[] = {
#define ORIGIN(place, where) {place, where},
#include "src/origins.def"
#undef ORIGIN
};

bool provenance_row(size_t i, enum platform_id *platform, const char **path, const char **source)
{
	if (i >= TA_COUNT(rows))
		return false;
	*platform = rows[i].platform;
	*path = rows[i].path;
	*source = rows[i].source;
	return true;
}

struct walk {
	const struct provenance_case *c;
	struct arena *a;
	struct provenance *out;
	size_t n, size;
};

/* Looking up -------------------------------------------------------------------------------- */

/* The path with its numbers taken out: user_data.em[]. */
static const char *pattern_of(struct arena *a, const char *path)
{
	char *text = arena_strdup(a, path), *to = text;
	for (const char *p = path; *p; p++) {
		*to++ = *p;
		if (*p == '[')
			p += strspn(p + 1, "0123456789");
	}
	*to = '\0';
	return text;
}

static const struct row *row_of(enum platform_id platform, const char *pattern)
{
	for (size_t i = 0; i < TA_COUNT(rows); i++)
		if (rows[i].platform == platform && strcmp(rows[i].path, pattern) == 0)
			return &rows[i];
	return NULL;
}

/* The first number in brackets, -1 none. */
static long index_in(const char *path)
{
	const char *p = strchr(path, '[');
	return p ? strtol(p + 1, NULL, 10) : -1;
}

/* The item of the document that stands at the nth place of what was sent: items without an id are
 * left out on the way. */
static const struct event_item *item_sent(const struct provenance_case *c, long nth, size_t *at)
{
	long seen = 0;
	for (size_t i = 0; i < c->ev->nitems; i++) {
		if (!item_id(&c->ev->items[i], c->content_id, c->content_ids))
			continue;
		*at = i;
		if (seen++ == nth)
			return &c->ev->items[i];
	}
	return NULL;
}

static const char *origin_of(const struct walk *w, const char *place)
{
	const struct event *ev = w->c->ev;
	char general[80];
	if (!*place)
		return "";
	if (ev->source != SOURCE_SHOPIFY)
		return arena_fmt(w->a, "%s: %s", source_word((int)ev->source), place);
	snprintf(general, sizeof(general), "%s", pattern_of(w->a, place));
	for (size_t i = 0; i < TA_COUNT(origins); i++) {
		size_t n = strlen(origins[i].place);
		if (strncmp(origins[i].place, general, n) == 0 &&
			(general[n] == '\0' || general[n] == '.'))
			return arena_fmt(w->a, "shopify: %s", origins[i].where);
	}
	return "shopify";
}

/* Parts that rules and settings have ---------------------------------------------------------- */

static const char *by_rule(const struct walk *w)
{
	return arena_fmt(w->a, "rule %d, version %d", (int)w->c->rule_id, (int)w->c->rule_version);
}

/* A rule's field in the words of the document. */
static const char *document_name(const char *field)
{
	if (strcmp(field, "event.custom_name") == 0)
		return "name";
	return strncmp(field, "event.", 6) == 0 ? field + 6 : field;
}

/* Whether the rule set the place. */
static bool set_by_rule(const struct walk *w, const char *place)
{
	const struct rule_act *act = w->c->act;
	for (size_t i = 0; act && act->kind == ACTION_SET && i < act->nterms; i++) {
		const struct rule_term *t = &act->terms[i];
		bool currency = strcmp(t->field, "value") == 0 && t->currency[0] &&
				strcmp(place, "currency") == 0;
		if (currency || strcmp(document_name(t->field), place) == 0)
			return true;
	}
	return false;
}

static void put_name(const struct walk *w, struct provenance *p)
{
	const struct event *ev = w->c->ev;
	const struct rule_act *act = w->c->act;
	/* Does the given name decide, or only that it is a custom event? */
	const char *named =
		event_map_name(w->c->event_names, w->c->platform, ev->name, ev->custom_name);
	const char *any = event_map_name(w->c->event_names, w->c->platform, ev->name, NULL);
	bool custom = ev->custom_name && named && (!any || strcmp(named, any) != 0);
	enum event_name name = ev->name;
	bool renamed = act && act->kind == ACTION_RENAME;
	p->source = custom ? "name" : "event";
	p->how = arena_fmt(
		w->a, "%s at %s", event_word((int)ev->name), platform_get(w->c->platform)->title);
	if (renamed) {
		int ours = event_of(act->name);
		p->by = by_rule(w);
		p->how = arena_fmt(w->a, "%s, renamed to %s", event_word((int)ev->name), act->name);
		name = ours >= 0 ? (enum event_name)ours : EV_COUNT;
		custom = false;
	}
	if (!event_map_has(w->c->event_names, name, custom ? ev->custom_name : NULL))
		return;
	p->by = renamed ? arena_fmt(w->a, "%s, and the pixel's event names", p->by)
			: "the pixel's event names";
}

static void put_item(const struct walk *w, struct provenance *p)
{
	size_t at = 0;
	const struct event_item *it = item_sent(w->c, index_in(p->path), &at);
	const char *member = it ? item_id_member(it, w->c->content_id) : NULL;
	p->source = arena_fmt(w->a, "items[%zu].%s", at, member ? member : "id");
	p->how = w->c->content_id ? arena_fmt(w->a, "content id: %s", w->c->content_id) : "";
	if (it && w->c->content_ids &&
		strcmp(item_id(it, w->c->content_id, NULL),
			item_id(it, w->c->content_id, w->c->content_ids)) != 0)
		p->by = "the pixel's content ids";
}

static const char *user_text(const struct event *ev, const char *place)
{
	size_t offset;
	const char *s = NULL;
	if (rule_event_place(place, &offset))
		memcpy(&s, (const char *)ev + offset, sizeof(s));
	return s;
}

/* The place with its index, and what was done with it. */
static void put_plain(const struct walk *w, const struct row *row, struct provenance *p)
{
	const char *bracket = strstr(row->source, "[]");
	size_t at = 0;
	p->source = row->source;
	p->how = row->how;
	if (bracket && strchr(p->path, '[') && item_sent(w->c, index_in(p->path), &at))
		p->source = arena_fmt(w->a, "%.*s[%zu]%s", (int)(bracket - row->source),
			row->source, at, bracket + 2);
	if (!*row->source)
		p->by = "default";
	if (set_by_rule(w, row->source)) {
		p->by = by_rule(w);
		return;
	}
	const char *given =
		strncmp(row->source, "user.", 5) == 0 ? user_text(w->c->ev, row->source) : NULL;
	if (given && identity_is_hash(given))
		p->how = "a SHA-256 as given, lower case";
}

static void put_origin(const struct walk *w, struct provenance *p)
{
	/* What a rule set comes from the rule alone. */
	bool set = w->c->act && w->c->act->kind == ACTION_SET && strncmp(p->by, "rule", 4) == 0;
	p->origin = set ? "" : origin_of(w, p->source);
	if (set)
		p->source = "";
}

static void add_field(struct walk *w, const char *path, const struct jv *v)
{
	struct buf value = BUF_INIT(1 << 20);
	if (w->n == FIELDS_MAX)
		return;
	if (w->n == w->size) {
		size_t size = w->size ? w->size * 2 : 64;
		struct provenance *more = arena_alloc(w->a, size * sizeof(*more));
		if (w->n)
			memcpy(more, w->out, w->n * sizeof(*more));
		w->out = more;
		w->size = size;
	}
	const struct row *row = row_of(w->c->platform, pattern_of(w->a, path));
	struct provenance *p = &w->out[w->n++];
	jv_write(&value, v);
	*p = (struct provenance){.path = path,
		.value = arena_strdup(w->a, buf_str(&value)),
		.source = "",
		.how = "",
		.by = "",
		.origin = "",
		.known = row != NULL};
	buf_release(&value);
	if (!row)
		return;
	if (strcmp(row->source, "@name") == 0)
		put_name(w, p);
	else if (strcmp(row->source, "@item") == 0)
		put_item(w, p);
	else if (strcmp(row->source, "@wire") == 0)
		p->how = "the event's wire id: ta_event_id, else from the book key";
	else
		put_plain(w, row, p);
	put_origin(w, p);
}

static void walk(struct walk *w, const char *path, const struct jv *v)
{
	size_t i = 0;
	if ((v->type != JV_OBJECT && v->type != JV_ARRAY) || !v->child) {
		add_field(w, path, v);
		return;
	}
	for (const struct jv *c = v->child; c; c = c->next, i++)
		walk(w,
			c->key ? arena_fmt(w->a, "%s%s%s", path, *path ? "." : "", c->key)
			       : arena_fmt(w->a, "%s[%zu]", path, i),
			c);
}

size_t provenance_of(const struct provenance_case *c, struct arena *a, struct provenance **out)
{
	const struct jv *v = NULL;
	struct walk w = {.c = c, .a = a};
	*out = NULL;
	if (!c->json || jv_parse(a, c->json, c->len, &v, NULL) != JV_FINE || v->type != JV_OBJECT)
		return 0;
	walk(&w, "", v);
	*out = w.out;
	return w.n;
}

void provenance_settings(struct arena *a, struct provenance_case *c, const char *settings,
	const char *action, const char *with)
{
	const struct jv *v = NULL;
	struct rule_act *act = arena_alloc(a, sizeof(*act));
	bool fine = settings && jv_parse(a, settings, strlen(settings), &v, NULL) == JV_FINE;
	c->content_id = fine ? jv_str(v, "content_id") : NULL;
	c->event_names = NULL;
	c->content_ids = NULL;
	if (fine && event_map_parse(
			    a, jv_str(v, "event_names"), (int)c->platform, &c->event_names, NULL))
		c->event_names = NULL;
	if (fine && name_map_parse(a, jv_str(v, "content_ids"), &c->content_ids, NULL))
		c->content_ids = NULL;
	c->act =
		action && rule_action_parse(a, action, with, act, NULL, NULL) == TA_OK ? act : NULL;
}

const char *provenance_sent(
	struct arena *a, const char *request, size_t n, size_t position, size_t *len)
{
	const char *blank = request ? memmem(request, n, "\n\n", 2) : NULL;
	struct buf cut = BUF_INIT(16u << 20), own = BUF_INIT(1u << 20);
	const struct jv *v = NULL, *data;
	const char *out = NULL;
	*len = 0;
	if (!blank ||
		!json_cut(&cut, blank + 2, n - (size_t)(blank + 2 - request), "data", position))
		goto done;
	if (jv_parse(a, buf_str(&cut), cut.len, &v, NULL) != JV_FINE)
		goto done;
	data = jv_array(v, "data");
	if (!data || !data->child)
		goto done;
	jv_write(&own, data->child);
	*len = own.len;
	out = arena_strndup(a, buf_str(&own), own.len);
done:
	buf_release(&cut);
	buf_release(&own);
	return out;
}

const char *provenance_text(struct arena *a, const struct provenance *p)
{
	struct buf b = BUF_INIT(2000);
	buf_adds(&b, "<- ");
	if (!p->known)
		buf_adds(&b, "not known");
	buf_adds(&b, p->source);
	if (*p->how)
		buf_addf(&b, *p->source ? " (%s)" : "%s", p->how);
	if (*p->by)
		buf_addf(&b, "%s%s", b.len > 3 ? ", " : "", p->by);
	if (*p->origin)
		buf_addf(&b, " <- %s", p->origin);
	const char *text = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return text;
}
