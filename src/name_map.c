#include "src/name_map.h"

#include "src/arena.h"

#include <stdlib.h>
#include <string.h>

#define NEVER "never"

struct pair {
	const char *ours, *theirs;
};

struct name_map {
	struct pair *pairs; /* by ours */
	size_t n;
};

/* Reading ----------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_end(char c)
{
	return c == '\0' || c == ',' || c == '\n';
}

static const char *skip(const char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/* The quoted name at p into `out`; where it ends, NULL when it has no end. */
static const char *read_quoted(const char *p, char *out)
{
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		*out++ = *p;
	}
	*out = '\0';
	return *p ? p + 1 : NULL;
}

/* One name up to '=' (the left side) or the pair's end. */
static enum ta_rc read_name(
	struct arena *a, const char **at, bool left, const char **name, struct ta_err *err)
{
	const char *from = skip(*at), *p = from;
	char *out;
	while (!is_end(*p) && !(left && *p == '=') && *p != '"')
		p++;
	if (*from == '"') {
		out = arena_alloc(a, strlen(from) + 1);
		p = read_quoted(from, out);
		if (!p)
			return ta_fail(err, TA_INVALID, "the quote in %.40s has no end", from);
		p = skip(p);
	} else {
		size_t n = (size_t)(p - from);
		while (n && is_blank(from[n - 1]))
			n--;
		out = arena_strndup(a, from, n);
		if (!left && strcmp(out, NEVER) == 0)
			out[0] = '\0';
		if (!left && strchr(out, '='))
			return ta_fail(err, TA_INVALID,
				"\"%.60s\" holds an equals sign: a comma is missing before it, or "
				"quotes around it",
				out);
	}
	if (*p == '"' || (*from == '"' && !is_end(*p) && !(left && *p == '=')))
		return ta_fail(
			err, TA_INVALID, "a quote stands inside \"%.40s\": quote all of it", from);
	if (strlen(out) > NAME_MAP_NAME)
		return ta_fail(err, TA_INVALID, "\"%.40s…\" has %zu bytes, at most %d are allowed",
			out, strlen(out), NAME_MAP_NAME);
	*at = p;
	*name = out;
	return TA_OK;
}

static enum ta_rc read_pair(struct arena *a, const char **at, struct pair *pair, struct ta_err *err)
{
	enum ta_rc rc = read_name(a, at, true, &pair->ours, err);
	if (rc)
		return rc;
	if (**at != '=')
		return ta_fail(err, TA_INVALID,
			"\"%.60s\" has no \"=\": write OURS = THEIRS, or OURS = %s", pair->ours,
			NEVER);
	if (!*pair->ours)
		return ta_fail(err, TA_INVALID, "nothing stands before \"%.40s\"", *at);
	++*at;
	return read_name(a, at, false, &pair->theirs, err);
}

static int by_ours(const void *a, const void *b)
{
	return strcmp(((const struct pair *)a)->ours, ((const struct pair *)b)->ours);
}

static enum ta_rc sort(struct name_map *m, struct ta_err *err)
{
	if (m->n)
		qsort(m->pairs, m->n, sizeof(*m->pairs), by_ours);
	for (size_t i = 1; i < m->n; i++)
		if (strcmp(m->pairs[i - 1].ours, m->pairs[i].ours) == 0)
			return ta_fail(err, TA_INVALID, "\"%.60s\" stands twice on the left",
				m->pairs[i].ours);
	return TA_OK;
}

static size_t count_pairs(const char *text)
{
	size_t n = 1;
	for (; *text; text++)
		n += *text == ',' || *text == '\n';
	return n;
}

enum ta_rc name_map_parse(
	struct arena *a, const char *text, const struct name_map **out, struct ta_err *err)
{
	*out = NULL;
	if (!text || !text[strspn(text, " \t\r\n,")])
		return TA_OK;
	if (strlen(text) > NAME_MAP_BYTES)
		return ta_fail(err, TA_INVALID,
			"%zu bytes of names, at most %d are allowed: name only what differs",
			strlen(text), NAME_MAP_BYTES);
	struct name_map *m = arena_alloc(a, sizeof(*m));
	m->pairs = arena_alloc(a, count_pairs(text) * sizeof(*m->pairs));
	for (const char *p = text; *p;) {
		p = skip(p);
		if (*p && is_end(*p)) { /* an empty line, a comma at the end */
			p++;
			continue;
		}
		enum ta_rc rc = *p ? read_pair(a, &p, &m->pairs[m->n], err) : TA_OK;
		if (rc)
			return rc;
		m->n += m->pairs[m->n].ours != NULL;
	}
	*out = m;
	return sort(m, err);
}

const char *name_map_get(const struct name_map *m, const char *ours)
{
	const struct pair key = {.ours = ours};
	const struct pair *p =
		m && m->n ? bsearch(&key, m->pairs, m->n, sizeof(*m->pairs), by_ours) : NULL;
	return p ? p->theirs : NULL;
}

size_t name_map_count(const struct name_map *m)
{
	return m ? m->n : 0;
}

/* Events ------------------------------------------------------------------------------------ */

#define CUSTOM "custom:"

struct event_map {
	const char *names[EV_COUNT]; /* NULL: not spoken of, "": never */
	const struct name_map *custom;
};

/* What the left side means: the event, or EV_CUSTOM for "custom:NAME". */
static enum ta_rc event_meant(const char *ours, enum event_name *out, struct ta_err *err)
{
	if (strncmp(ours, CUSTOM, strlen(CUSTOM)) == 0 && ours[strlen(CUSTOM)]) {
		*out = EV_CUSTOM;
		return TA_OK;
	}
	int name = event_of(ours);
	if (name < 0)
		return ta_fail(err, TA_INVALID,
			"there is no event \"%.60s\"; ours are page_view, view_content, purchase, …, "
			"and custom:NAME",
			ours);
	*out = (enum event_name)name;
	if (!platform_event(PLATFORM_META, *out))
		return ta_fail(err, TA_INVALID,
			"%s is kept for our own books, no platform gets it under any name", ours);
	return TA_OK;
}

enum ta_rc event_map_parse(struct arena *a, const char *text, int platform,
	const struct event_map **out, struct ta_err *err)
{
	const struct name_map *all;
	enum ta_rc rc = name_map_parse(a, text, &all, err);
	*out = NULL;
	if (rc || !all)
		return rc;
	struct event_map *m = arena_alloc(a, sizeof(*m));
	struct name_map *custom = arena_alloc(a, sizeof(*custom));
	custom->pairs = arena_alloc(a, all->n * sizeof(*custom->pairs));
	for (size_t i = 0; i < all->n; i++) {
		const struct pair *p = &all->pairs[i];
		enum event_name name = EV_CUSTOM;
		rc = event_meant(p->ours, &name, err);
		if (!rc && platform >= 0 && *p->theirs)
			rc = platform_event_check((enum platform_id)platform, p->theirs, err);
		if (rc)
			return rc;
		if (strncmp(p->ours, CUSTOM, strlen(CUSTOM)) == 0)
			custom->pairs[custom->n++] =
				(struct pair){p->ours + strlen(CUSTOM), p->theirs};
		else
			m->names[name] = p->theirs;
	}
	m->custom = custom; /* still in order: a common beginning was cut off */
	*out = m;
	return TA_OK;
}

static const char *spoken(const struct event_map *m, enum event_name name, const char *custom_name)
{
	const char *theirs = NULL;
	if (!m || (size_t)name >= EV_COUNT)
		return NULL;
	if (name == EV_CUSTOM && custom_name)
		theirs = name_map_get(m->custom, custom_name);
	return theirs ? theirs : m->names[name];
}

bool event_map_has(const struct event_map *m, enum event_name name, const char *custom_name)
{
	return spoken(m, name, custom_name) != NULL;
}

const char *event_map_name(const struct event_map *m, enum platform_id platform,
	enum event_name name, const char *custom_name)
{
	const char *theirs = spoken(m, name, custom_name);
	if (theirs)
		return *theirs ? theirs : NULL;
	if (platform == PLATFORM_META && name == EV_CUSTOM && custom_name)
		return custom_name;
	return platform_event(platform, name);
}

/* Fields ------------------------------------------------------------------------------------ */

enum ta_rc name_map_check(const char *v, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	const struct name_map *m;
	enum ta_rc rc = name_map_parse(&a, v, &m, err);
	arena_release(&a);
	return rc;
}

enum ta_rc event_map_check(const char *v, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	const struct event_map *m;
	enum ta_rc rc = event_map_parse(&a, v, -1, &m, err);
	arena_release(&a);
	return rc;
}
