/* Provenance tells the truth: over every golden payload each field has a line, each row of the
 * table is some golden's, and a field changes when the place it is said to come from does. */
#include "net/dest.h"
#include "src/attr.h"
#include "src/provenance.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "golden.h"

static bool used[256]; /* rows of src/outgoing.def */

struct golden {
	struct arena a;
	const struct dest *dest;
	struct dest_config cfg;
	const char *doc, *wire_id;
};

/* The event as it is built from a document; NULL when it cannot be read. */
static const char *built(struct golden *g, const char *doc, struct event *ev)
{
	struct buf b = BUF_INIT(1 << 20);
	if (event_read(&g->a, doc, strlen(doc), ev, NULL))
		return NULL;
	g->dest->event(&b, ev, g->wire_id, &g->cfg);
	const char *text = arena_strdup(&g->a, buf_str(&b));
	buf_release(&b);
	return text;
}

static size_t lines_of(struct golden *g, const char *doc, struct provenance **out)
{
	struct event ev;
	const char *json = built(g, doc, &ev);
	if (!json)
		return 0;
	const struct provenance_case c = {.platform = g->dest->platform,
		.ev = &ev,
		.content_id = g->cfg.content_id,
		.event_names = g->cfg.event_names,
		.content_ids = g->cfg.content_ids,
		.json = json,
		.len = strlen(json)};
	return provenance_of(&c, &g->a, out);
}

static size_t leaves(const json_t *j)
{
	size_t n = 0, i;
	const char *key;
	json_t *v;
	if (json_is_object(j) && json_object_size(j))
		json_object_foreach((json_t *)(uintptr_t)j, key, v) n += leaves(v);
	else if (json_is_array(j) && json_array_size(j))
		json_array_foreach(j, i, v) n += leaves(v);
	else
		n = 1;
	return n;
}

/* Where a place such as items[1].sku ends: its holder and its last name. */
static json_t *holder_of(struct arena *a, json_t *doc, const char *place, const char **last)
{
	json_t *o = doc;
	char *part;
	for (;;) {
		size_t n = strcspn(place, ".");
		part = arena_strndup(a, place, n);
		char *bracket = strchr(part, '[');
		long index = bracket ? strtol(bracket + 1, NULL, 10) : -1;
		if (bracket)
			*bracket = '\0';
		if (!place[n] && index < 0)
			break;
		o = json_object_get(o, part);
		if (index >= 0)
			o = json_array_get(o, (size_t)index);
		if (!place[n])
			return NULL;
		place += n + 1;
	}
	*last = part;
	return o;
}

static json_t *another(const char *name, const json_t *v)
{
	char text[600];
	if (strcmp(name, "event") == 0)
		return json_string(strcmp(json_string_value(v), "search") == 0 ? "lead" : "search");
	if (json_is_boolean(v))
		return json_boolean(!json_is_true(v));
	if (json_is_integer(v))
		return json_integer(json_integer_value(v) + 1);
	snprintf(text, sizeof(text), "%.500s7", json_string_value(v) ? json_string_value(v) : "");
	return json_string(text);
}

/* Is the field, built from the changed document, still there with the same value? */
static bool unmoved(struct golden *g, const struct provenance *p, json_t *doc)
{
	struct provenance *now = NULL;
	char *text = json_dumps(doc, JSON_COMPACT);
	size_t n = lines_of(g, text, &now);
	free(text);
	for (size_t i = 0; i < n; i++)
		if (strcmp(now[i].path, p->path) == 0)
			return strcmp(now[i].value, p->value) == 0;
	return false;
}

static bool depends(struct golden *g, const struct provenance *p)
{
	const char *last = "";
	json_t *doc = json_loads(g->doc, 0, NULL);
	json_t *o = holder_of(&g->a, doc, p->source, &last);
	json_t *v = json_object_get(o, last);
	bool there = v != NULL, moved = false;
	if (there) {
		json_object_set_new(o, last, another(last, v));
		moved = !unmoved(g, p, doc);
		json_object_del(o, last);
		moved = moved || !unmoved(g, p, doc);
	}
	json_decref(doc);
	return there && moved;
}

static void note_row(const struct golden *g, const char *path)
{
	enum platform_id platform;
	const char *row, *source;
	for (size_t i = 0; provenance_row(i, &platform, &row, &source); i++) {
		const char *p = path, *r = row;
		assert_true(i < TA_COUNT(used));
		while (*p && *r && *p == *r) {
			if (*p++ == '[')
				p += strspn(p, "0123456789");
			r++;
		}
		if (platform == g->dest->platform && !*p && !*r)
			used[i] = true;
	}
}

static bool fits(struct golden *g, const char *file)
{
	struct provenance *lines = NULL;
	struct event ev;
	bool fine = true;
	const char *json = built(g, g->doc, &ev);
	json_t *j = json_loads(json, 0, NULL);
	size_t n = lines_of(g, g->doc, &lines);
	if (n != leaves(j)) {
		fprintf(stderr, "%s: %zu fields, %zu lines\n", file, leaves(j), n);
		fine = false;
	}
	json_decref(j);
	for (size_t i = 0; i < n; i++) {
		const struct provenance *p = &lines[i];
		note_row(g, p->path);
		const char *all = strstr(p->source, "[]");
		const char *place = p->source;
		if (all)
			place = arena_fmt(
				&g->a, "%.*s[0]%s", (int)(all - p->source), p->source, all + 2);
		struct provenance at = *p;
		at.source = place;
		if (!p->known || (*p->source && !depends(g, &at))) {
			fprintf(stderr, "%s: %s %s\n", file, p->path, provenance_text(&g->a, p));
			fine = false;
		}
	}
	return fine;
}

static bool check(const char *file, enum platform_id platform)
{
	struct golden g = {.dest = dest_get(platform)};
	struct buf doc = BUF_INIT(1 << 20);
	const struct jv *v = golden_read(&g.a, file);
	g.cfg.content_id = jv_str(v, "content_id");
	g.wire_id = jv_str(v, "wire_id");
	bool fine =
		event_map_parse(&g.a, jv_str(v, "event_names"), (int)platform, &g.cfg.event_names,
			NULL) == TA_OK &&
		name_map_parse(&g.a, jv_str(v, "content_ids"), &g.cfg.content_ids, NULL) == TA_OK;
	jv_write(&doc, jv_get(v, "document"));
	g.doc = arena_strdup(&g.a, buf_str(&doc));
	if (fine && strcmp(jv_str(v, "check"), "none") == 0)
		fine = fits(&g, file);
	buf_release(&doc);
	arena_release(&g.a);
	return fine;
}

static void goldens(void **state)
{
	(void)state;
	size_t n = 0, bad = 0;
	for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++) {
		char path[1024];
		struct dirent *entry;
		snprintf(path, sizeof(path), "%s/golden/dest/%s", TA_TESTS, platform_word(p));
		DIR *dir = opendir(path);
		assert_non_null(dir);
		while ((entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "dest/%s/%.200s", platform_word(p),
				entry->d_name);
			bad += !check(path, (enum platform_id)p);
			n++;
		}
		closedir(dir);
	}
	enum platform_id platform;
	const char *row, *source;
	for (size_t i = 0; provenance_row(i, &platform, &row, &source); i++)
		if (!used[i]) {
			fprintf(stderr, "no golden has %s of %s\n", row,
				platform_word((int)platform));
			bad++;
		}
	assert_int_equal(bad, 0);
	assert_true(n >= 190);
}

/* Rules, own names and the webhook's words. */
static void parts(void **state)
{
	(void)state;
	static const char doc[] =
		"{\"v\":1,\"event\":\"purchase\",\"source\":\"shopify\","
		"\"event_time\":1795343000,\"value\":\"5.00\",\"currency\":"
		"\"EUR\",\"items\":[{\"id\":\"9\",\"sku\":\"gone\",\"quantity\":1},"
		"{\"id\":\"788\",\"sku\":\"S\",\"quantity\":1}],\"user\":{"
		"\"email\":\"jane@example.com\"}}";
	static const struct {
		const char *path, *text;
	} want[] = {
		{"event_name", "<- event (purchase, renamed to Subscribe), rule 12, version 3 <- "
			       "shopify: topic"},
		{"event_id", "<- the event's wire id: ta_event_id, else from the book key"},
		{"action_source", "<- website, always, default"},
		{"user_data.em", "<- user.email (trimmed, lower case, SHA-256) <- shopify: email, "
				 "contact_email, customer.email: the first valid"},
		{"custom_data.contents[0].id", "<- items[1].sku (content id: sku), the pixel's "
					       "content ids <- shopify: line_items: sku"},
		{"custom_data.contents[0].quantity",
			"<- items[1].quantity <- shopify: line_items: quantity"},
	};
	struct golden g = {.dest = dest_get(PLATFORM_META), .doc = doc, .wire_id = "w"};
	struct event ev, sent;
	struct rule_act act;
	struct provenance *lines = NULL;
	g.cfg.content_id = "sku";
	assert_int_equal(
		name_map_parse(&g.a, "S = s, gone = never", &g.cfg.content_ids, NULL), TA_OK);
	assert_int_equal(rule_action_parse(&g.a, "rename", "Subscribe", &act, NULL, NULL), TA_OK);
	assert_int_equal(event_read(&g.a, doc, strlen(doc), &ev, NULL), TA_OK);
	sent = ev;
	sent.sent_as = "Subscribe";
	struct buf b = BUF_INIT(1 << 20);
	g.dest->event(&b, &sent, "w", &g.cfg);
	struct provenance_case c = {.platform = PLATFORM_META,
		.ev = &ev,
		.act = &act,
		.rule_id = 12,
		.rule_version = 3,
		.content_id = "sku",
		.content_ids = g.cfg.content_ids,
		.json = buf_str(&b),
		.len = b.len};
	size_t n = provenance_of(&c, &g.a, &lines), found = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < TA_COUNT(want); k++)
			if (strcmp(want[k].path, lines[i].path) == 0) {
				found++;
				assert_string_equal(provenance_text(&g.a, &lines[i]), want[k].text);
			}
	assert_int_equal(found, TA_COUNT(want));
	assert_int_equal(rule_action_parse(&g.a, "set", "value = 9 USD", &act, NULL, NULL), TA_OK);
	n = provenance_of(&c, &g.a, &lines);
	for (size_t i = 0; i < n; i++)
		if (strcmp(lines[i].path, "custom_data.value") == 0 ||
			strcmp(lines[i].path, "custom_data.currency") == 0)
			assert_non_null(
				strstr(provenance_text(&g.a, &lines[i]), "rule 12, version 3"));
	c.json = "[]";
	c.len = 2;
	assert_int_equal(provenance_of(&c, &g.a, &lines), 0);
	buf_release(&b);
	arena_release(&g.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goldens),
		cmocka_unit_test(parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
