#include "src/json_delta.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct member {
	struct json_slice name, value; /* an element has no name */
};
struct parts {
	struct member v[JSON_DELTA_MEMBERS];
	size_t n;
};

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

/* Behind the string that begins at p (a quote); NULL: it does not end. */
static const char *skip_string(const char *p, const char *end)
{
	const char *begin = ++p;
	while (p < end && (p = memchr(p, '"', (size_t)(end - p)))) {
		size_t slashes = 0;
		while (p - slashes > begin && p[-1 - (ptrdiff_t)slashes] == '\\')
			slashes++;
		p++;
		if (slashes % 2 == 0)
			return p;
	}
	return NULL;
}

/* Behind the value that begins at p, NULL when it does not end. */
static const char *skip_value(const char *p, const char *end)
{
	size_t depth = 0;
	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			if (!p)
				return NULL;
			if (!depth)
				return p;
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']' || *p == ',') && !depth)
			return p;
		else if ((*p == '}' || *p == ']') && --depth == 0)
			return p + 1;
		p++;
	}
	return depth ? NULL : p;
}

static const char *read_name(const char *p, const char *end, struct json_slice *name)
{
	const char *begin = p;
	if (p >= end || *p != '"' || !(p = skip_string(p, end)))
		return NULL;
	*name = (struct json_slice){begin + 1, (size_t)(p - begin) - 2};
	p = skip_space(p, end);
	return p < end && *p == ':' ? skip_space(p + 1, end) : NULL;
}

/* The members of an object or the elements of a list; false: it is neither, or has too many. */
static bool take_apart(struct json_slice s, struct parts *out)
{
	const char *end = s.p + s.n, *p = skip_space(s.p, end);
	out->n = 0;
	if (p >= end || (*p != '{' && *p != '['))
		return false;
	bool named = *p == '{';
	p = skip_space(p + 1, end);
	while (p < end && *p != '}' && *p != ']') {
		struct member *m = &out->v[out->n];
		if (out->n == JSON_DELTA_MEMBERS)
			return false;
		m->name = (struct json_slice){0};
		if (named && !(p = read_name(p, end, &m->name)))
			return false;
		const char *behind = skip_value(p, end);
		if (!behind || behind == p)
			return false;
		m->value = (struct json_slice){p, (size_t)(behind - p)};
		out->n++;
		p = skip_space(behind, end);
		if (p < end && *p == ',')
			p = skip_space(p + 1, end);
	}
	return p < end;
}

static bool same(struct json_slice a, struct json_slice b)
{
	return a.n == b.n && (!a.n || memcmp(a.p, b.p, a.n) == 0);
}

/* Where a name stands in the other one: looked for from where it stands here. */
static size_t place_of(const struct parts *in, struct json_slice name, size_t from)
{
	for (size_t k = 0; k < in->n; k++) {
		size_t i = (from + k) % in->n;
		if (same(in->v[i].name, name))
			return i;
	}
	return in->n;
}

struct walk {
	const struct json_delta *d;
	char path[JSON_DELTA_PATH];
	int depth;
};

static void compare(struct walk *w, struct json_slice was, struct json_slice now);

static void at_member(
	struct walk *w, struct json_slice name, struct json_slice was, struct json_slice now)
{
	size_t len = strlen(w->path);
	snprintf(w->path + len, sizeof(w->path) - len, "%s%.*s", len ? "." : "", (int)name.n,
		name.p ? name.p : "");
	compare(w, was, now);
	w->path[len] = '\0';
}

static void objects(struct walk *w, const struct parts *a, const struct parts *b)
{
	for (size_t i = 0; i < a->n; i++) {
		size_t k = place_of(b, a->v[i].name, i);
		at_member(w, a->v[i].name, a->v[i].value,
			k < b->n ? b->v[k].value : (struct json_slice){0});
	}
	for (size_t i = 0; i < b->n; i++)
		if (place_of(a, b->v[i].name, i) == a->n)
			at_member(w, b->v[i].name, (struct json_slice){0}, b->v[i].value);
}

static void lists(struct walk *w, const struct parts *a, const struct parts *b)
{
	size_t len = strlen(w->path), n = a->n > b->n ? a->n : b->n;
	snprintf(w->path + len, sizeof(w->path) - len, "[]");
	for (size_t i = 0; i < n; i++)
		compare(w, i < a->n ? a->v[i].value : (struct json_slice){0},
			i < b->n ? b->v[i].value : (struct json_slice){0});
	w->path[len] = '\0';
}

/* Two objects or two lists; false: they cannot be taken apart. Its room is of some kilobytes, which
 * single values do without. */
static bool inside(struct walk *w, struct json_slice was, struct json_slice now)
{
	struct parts a, b;
	if (!take_apart(was, &a) || !take_apart(now, &b))
		return false;
	w->depth++;
	if (*was.p == '{')
		objects(w, &a, &b);
	else
		lists(w, &a, &b);
	w->depth--;
	return true;
}

static void compare(struct walk *w, struct json_slice was, struct json_slice now)
{
	if (was.p && now.p && same(was, now))
		return;
	bool pair = was.p && now.p && was.n && now.n && *was.p == *now.p &&
		    (*was.p == '{' || *was.p == '[') && w->depth < JSON_DELTA_DEPTH;
	if (!pair || !inside(w, was, now))
		w->d->each(w->d->arg, w->path, was, now);
}

void json_delta(const struct json_delta *d, struct json_slice was, struct json_slice now)
{
	struct walk w = {.d = d};
	compare(&w, was, now);
}
