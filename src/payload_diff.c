#include "src/payload_diff.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/json.h"
#include "src/provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *payload_word(enum payload_change c)
{
	static const char *const words[] = {
		"missing", "added", "type", "shape", "value", "count", "same"};
	return words[c];
}

/* Looks ------------------------------------------------------------------------------------------
 */

static bool all_of(const struct jv *v, const char *set)
{
	return v->len && strspn(v->s, set) == v->len;
}

static bool is_decimal(const struct jv *v)
{
	size_t sign = v->s[0] == '-', whole = strspn(v->s + sign, "0123456789");
	size_t at = sign + whole;
	if (!whole || at == v->len)
		return whole > 0;
	return v->s[at] == '.' && at + 1 < v->len &&
	       at + 1 + strspn(v->s + at + 1, "0123456789") == v->len;
}

/* Times of our days: ten digits that begin with 1 are seconds, thirteen milliseconds. */
static bool is_time(const struct jv *v, size_t digits)
{
	return v->len == digits && v->s[0] == '1' && all_of(v, "0123456789");
}

static const char *number_look(const struct jv *v)
{
	if (is_time(v, 10))
		return "seconds, 10 digits";
	if (is_time(v, 13))
		return "milliseconds, 13 digits";
	return strchr(v->s, '.') ? "number" : "whole number";
}

static const char *hash_look(const struct jv *v)
{
	static const char lower[] = "0123456789abcdef", any[] = "0123456789abcdefABCDEF";
	if ((v->len != 64 && v->len != 40 && v->len != 32) || !all_of(v, any))
		return NULL;
	if (v->len == 64)
		return all_of(v, lower) ? "SHA-256" : "SHA-256 in capitals";
	return v->len == 40 ? "40 hex digits" : "32 hex digits";
}

static const char *text_look(const struct jv *v)
{
	const char *hash = hash_look(v);
	const char *at = strchr(v->s, '@');
	if (!v->len)
		return "empty text";
	if (hash)
		return hash;
	if (is_time(v, 10))
		return "seconds in a string";
	if (is_time(v, 13))
		return "milliseconds in a string";
	if (is_decimal(v))
		return "number in a string";
	if (strncmp(v->s, "fb.", 3) == 0)
		return "fb.…, a cookie of Meta";
	if (strstr(v->s, "://"))
		return "URL";
	if (at && at != v->s && strchr(at, '.') && !strchr(v->s, ' '))
		return "plain e-mail address";
	if (v->len == 3 && all_of(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
		return "three capitals";
	if (v->s[0] == ' ' || v->s[v->len - 1] == ' ')
		return "text with blanks around it";
	return "text";
}

const char *payload_look(const struct jv *v)
{
	if (!v)
		return "";
	switch (v->type) {
	case JV_NULL:
		return "null";
	case JV_BOOL:
		return "true or false";
	case JV_NUMBER:
		return number_look(v);
	case JV_STRING:
		return text_look(v);
	case JV_ARRAY:
		return v->child ? "list" : "empty list";
	case JV_OBJECT:
		return v->child ? "object" : "empty object";
	}
	return "";
}

/* Looks that say the same of a value: 95 and 95.50 are both amounts. */
static const char *family(const char *look)
{
	static const char *const numbers[] = {
		"number", "whole number", "text", "three capitals", "object", "list"};
	static const char *const as[] = {"number", "number", "text", "text", "object", "list"};
	for (size_t i = 0; i < TA_COUNT(numbers); i++)
		if (strcmp(look, numbers[i]) == 0)
			return as[i];
	return look;
}

/* Comparing --------------------------------------------------------------------------------------
 */

struct walk {
	struct arena *a;
	enum platform_id platform;
	struct payload_line *lines;
	size_t n;
	bool cut;
};

/* Fields whose value says something about the set-up, not about the person or the purchase. */
static bool is_steady(const char *source)
{
	static const char *const steady[] = {"", "@name", "currency", "consent.ads", "language"};
	for (size_t i = 0; i < TA_COUNT(steady); i++)
		if (strcmp(source, steady[i]) == 0)
			return true;
	return false;
}

static bool same_pattern(const char *path, const char *pattern)
{
	for (; *path || *pattern; path++, pattern++) {
		if (*path != *pattern)
			return false;
		if (*path == '[')
			path += strspn(path + 1, "0123456789");
	}
	return true;
}

static bool varies(const struct walk *w, const char *path)
{
	enum platform_id platform;
	const char *pattern, *source;
	for (size_t i = 0; provenance_row(i, &platform, &pattern, &source); i++)
		if (platform == w->platform && same_pattern(path, pattern))
			return !is_steady(source);
	return false; /* not one of ours: worth a look */
}

static const char *json_of(struct arena *a, const struct jv *v)
{
	struct buf b = BUF_INIT(1u << 20);
	if (!v)
		return NULL;
	jv_write(&b, v);
	const char *s = arena_strndup(a, buf_str(&b), b.len);
	buf_release(&b);
	return s;
}

static struct payload_line *put(struct walk *w, const char *path, enum payload_change change,
	const struct jv *before, const struct jv *now)
{
	if (w->n == PAYLOAD_LINES) {
		w->cut = true;
		return NULL;
	}
	w->lines[w->n] = (struct payload_line){.path = path,
		.change = change,
		.before = json_of(w->a, before),
		.now = json_of(w->a, now),
		.before_look = payload_look(before),
		.now_look = payload_look(now)};
	return &w->lines[w->n++];
}

static void compare(
	struct walk *w, const char *path, const struct jv *before, const struct jv *now);

static const char *member_path(struct walk *w, const char *path, const char *key)
{
	return arena_fmt(w->a, "%s%s%s", path, *path ? "." : "", key);
}

static const struct jv *member(const struct jv *object, const char *key)
{
	for (const struct jv *c = object->child; c; c = c->next)
		if (strcmp(c->key, key) == 0)
			return c;
	return NULL;
}

static void compare_objects(
	struct walk *w, const char *path, const struct jv *before, const struct jv *now)
{
	for (const struct jv *c = now->child; c; c = c->next)
		compare(w, member_path(w, path, c->key), member(before, c->key), c);
	for (const struct jv *c = before->child; c; c = c->next)
		if (!member(now, c->key))
			compare(w, member_path(w, path, c->key), c, NULL);
}

/* Elements are compared one by one; those the good one has not against its first, for their form.
 */
static void compare_lists(
	struct walk *w, const char *path, const struct jv *before, const struct jv *now)
{
	const struct jv *b = before->child;
	size_t i = 0, nb = jv_count(before), nn = jv_count(now);
	if (nb != nn) {
		struct payload_line *l = put(w, path, PAYLOAD_COUNT, before, now);
		if (l) {
			l->before = arena_fmt(w->a, "%zu", nb);
			l->now = arena_fmt(w->a, "%zu", nn);
			l->varies = nb && nn;
		}
	}
	for (const struct jv *c = now->child; c && nb; c = c->next, i++) {
		const struct jv *with = i < nb ? b : before->child;
		compare(w, arena_fmt(w->a, "%s[%zu]", path, i), with, c);
		b = b ? b->next : NULL;
	}
}

static void compare_values(
	struct walk *w, const char *path, const struct jv *before, const struct jv *now)
{
	const char *x = json_of(w->a, before), *y = json_of(w->a, now);
	bool same_look = strcmp(family(payload_look(before)), family(payload_look(now))) == 0;
	if (strcmp(x, y) == 0)
		return;
	struct payload_line *l =
		put(w, path, same_look ? PAYLOAD_VALUE : PAYLOAD_SHAPE, before, now);
	if (l && same_look)
		l->varies = varies(w, path);
}

static void compare(struct walk *w, const char *path, const struct jv *before, const struct jv *now)
{
	if (!before || !now)
		(void)put(w, path, now ? PAYLOAD_ADDED : PAYLOAD_MISSING, before, now);
	else if (before->type != now->type)
		(void)put(w, path, PAYLOAD_TYPE, before, now);
	else if (now->type == JV_OBJECT)
		compare_objects(w, path, before, now);
	else if (now->type == JV_ARRAY)
		compare_lists(w, path, before, now);
	else
		compare_values(w, path, before, now);
}

/* What is complained of --------------------------------------------------------------------------
 */

/* The value at a path of ours, NULL when there is none. */
static const struct jv *value_at(const struct jv *v, const char *path)
{
	while (v && *path) {
		size_t n = strcspn(path, ".[");
		const struct jv *c = v->child;
		if (*path == '[') {
			for (long i = strtol(path + 1, NULL, 10); c && i > 0; i--)
				c = c->next;
			path += strcspn(path, "]");
			path += *path == ']';
		} else {
			while (c && !(c->key && strlen(c->key) == n && !memcmp(c->key, path, n)))
				c = c->next;
			path += n;
		}
		v = c;
		path += *path == '.';
	}
	return v;
}

static struct payload_line *line_of(struct walk *w, const char *path)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->lines[i].path, path) == 0)
			return &w->lines[i];
	return NULL;
}

/* A list is complained of: the elements that look different are meant, else its only one. */
static const char *element_meant(struct walk *w, const char *path, const struct jv *now)
{
	const struct jv *v = value_at(now, path);
	size_t n = strlen(path);
	if (!v || v->type != JV_ARRAY)
		return path;
	for (size_t i = 0; i < w->n; i++)
		if (strncmp(w->lines[i].path, path, n) == 0 && w->lines[i].path[n] == '[' &&
			w->lines[i].change < PAYLOAD_VALUE)
			return w->lines[i].path;
	return jv_count(v) == 1 ? arena_fmt(w->a, "%s[0]", path) : path;
}

static void blame(struct walk *w, const struct complaint *named, const struct jv *before,
	const struct jv *now)
{
	struct complaint whole = *named, *c = &whole;
	c->path = element_meant(w, c->path, now);
	const struct jv *b = value_at(before, c->path), *n = value_at(now, c->path);
	struct payload_line *l = line_of(w, c->path);
	if (!l && w->n == PAYLOAD_LINES)
		w->n--; /* this one matters more than the last */
	if (!l)
		l = put(w, c->path,
			!n             ? PAYLOAD_MISSING
			: b || !before ? PAYLOAD_SAME
				       : PAYLOAD_ADDED,
			b, n);
	l->blamed = true;
	l->varies = false;
	l->problem = c->problem;
}

static int by_weight(const void *x, const void *y)
{
	const struct payload_line *a = x, *b = y;
	if (a->blamed != b->blamed)
		return a->blamed ? -1 : 1;
	if (a->varies != b->varies)
		return a->varies ? 1 : -1;
	if (a->change != b->change)
		return a->change < b->change ? -1 : 1;
	return strcmp(a->path, b->path);
}

void payload_diff(const struct payload_case *c, struct arena *a, struct payload_diff *out)
{
	const struct jv *now = NULL, *good = NULL;
	struct complaint named[COMPLAINTS_MAX];
	struct walk w = {.a = a, .platform = c->platform};
	*out = (struct payload_diff){0};
	if (!c->now || jv_parse(a, c->now, c->nnow, &now, NULL) != JV_FINE ||
		now->type != JV_OBJECT)
		return;
	if (!c->good || jv_parse(a, c->good, c->ngood, &good, NULL) != JV_FINE ||
		good->type != JV_OBJECT)
		good = NULL;
	w.lines = arena_alloc(a, PAYLOAD_LINES * sizeof(*w.lines));
	if (good)
		compare(&w, "", good, now);
	const struct complaint_case complaint = {.platform = c->platform,
		.code = c->code,
		.message = c->message,
		.response = c->response,
		.nresponse = c->nresponse,
		.event = now};
	size_t n = c->code || c->message ? complaint_of(&complaint, a, named) : 0;
	for (size_t i = 0; i < n; i++)
		blame(&w, &named[i], good, now);
	qsort(w.lines, w.n, sizeof(*w.lines), by_weight);
	*out = (struct payload_diff){
		.lines = w.lines, .n = w.n, .nblamed = n, .readable = true, .cut = w.cut};
	for (size_t i = 0; i < w.n; i++)
		out->nvaries += w.lines[i].varies;
}
