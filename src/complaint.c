#include "src/complaint.h"

#include "src/arena.h"
#include "src/json.h"
#include "src/provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
	enum platform_id platform;
	enum complaint_problem problem;
	long code, subcode;
	const char *before, *after, *path;
} rows[] = {
#define COMPLAINT(platform, code, subcode, before, after, problem, path)                           \
	{PLATFORM_##platform, COMPLAINT_##problem, code, subcode, before, after, path},
#include "src/complaints.def"
#undef COMPLAINT
};

const char *complaint_word(enum complaint_problem p)
{
	static const char *const words[] = {"value", "missing", "unexpected"};
	return words[p];
}

const char *complaint_text(enum complaint_problem p)
{
	static const char *const texts[] = {"the platform does not take this value",
		"it is not in what was sent", "the platform does not know this field"};
	return texts[p];
}

/* Paths ------------------------------------------------------------------------------------------
 */

/* "data[3].custom_data.value", "0.properties.contents.0.price" and "data.0.x" as a path inside the
 * event's own object: "custom_data.value", "properties.contents[0].price". */
static const char *own_path(struct arena *a, const char *s, size_t n)
{
	static const char digits[] = "0123456789";
	char *out = arena_alloc(a, 2 * n + 2), *to = out;
	const char *text = arena_strndup(a, s, n);
	if (strncmp(text, "data[", 5) == 0 || strncmp(text, "data.", 5) == 0) {
		const char *p = text + 5 + strspn(text + 5, digits);
		if (p > text + 5)
			text = p + (*p == ']') + (p[*p == ']'] == '.');
	} else if (*text && text[strspn(text, digits)] == '.') {
		text += strspn(text, digits) + 1;
	}
	for (const char *p = text; *p; p++) {
		size_t k = *p == '.' ? strspn(p + 1, digits) : 0;
		if (k && (p[1 + k] == '.' || p[1 + k] == '\0')) {
			*to++ = '[';
			memcpy(to, p + 1, k);
			to += k;
			*to++ = ']';
			p += k;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return out;
}

/* Behind numbers in brackets; a bracket that nobody closes ends the path. */
static const char *skip_index(const char *p)
{
	while (*p == '[') {
		p += strcspn(p, "]");
		p += *p == ']';
	}
	return p;
}

/* Whether both name the same field when numbers in brackets do not count. */
static bool same_but_index(const char *x, const char *y)
{
	for (;; x++, y++) {
		x = skip_index(x);
		y = skip_index(y);
		if (*x != *y || !*x)
			return *x == *y;
	}
}

static const char *leaf(const char *path)
{
	const char *dot = strrchr(path, '.');
	return dot ? dot + 1 : path;
}

enum likeness { UNLIKE, BY_NAME, BY_PATTERN, EXACT };

static enum likeness alike(const char *wanted, const char *path)
{
	if (strcmp(wanted, path) == 0)
		return EXACT;
	if (same_but_index(wanted, path))
		return BY_PATTERN;
	return !strchr(wanted, '.') && same_but_index(wanted, leaf(path)) ? BY_NAME : UNLIKE;
}

struct search {
	struct arena *a;
	const char *wanted, *found;
	enum likeness best;
};

static void look_at(struct search *s, const char *path)
{
	enum likeness l = alike(s->wanted, path);
	if (l > s->best) {
		s->best = l;
		s->found = path;
	}
}

static void look_in(struct search *s, const char *path, const struct jv *v)
{
	size_t i = 0;
	for (const struct jv *c = v->child; c; c = c->next, i++) {
		const char *at = c->key ? arena_fmt(s->a, "%s%s%s", path, *path ? "." : "", c->key)
					: arena_fmt(s->a, "%s[%zu]", path, i);
		look_at(s, at);
		look_in(s, at, c);
	}
}

/* A path of the tables: "user_data.em[]" is the list itself. */
static const char *no_brackets(struct arena *a, const char *path)
{
	size_t n = strlen(path);
	return n > 2 && strcmp(path + n - 2, "[]") == 0 ? arena_strndup(a, path, n - 2) : path;
}

/* The field of what was sent that is meant; else one that could have been sent. */
static struct complaint resolve(const struct complaint_case *c, struct arena *a, const char *wanted,
	enum complaint_problem problem)
{
	struct search s = {.a = a, .wanted = wanted};
	enum platform_id platform;
	const char *path, *source;
	if (c->event)
		look_in(&s, "", c->event);
	if (s.found && problem == COMPLAINT_MISSING && s.best == EXACT)
		return (struct complaint){s.found, problem};
	if (s.found)
		return (struct complaint){
			s.found, problem == COMPLAINT_MISSING ? COMPLAINT_VALUE : problem};
	for (size_t i = 0; provenance_row(i, &platform, &path, &source); i++)
		if (platform == c->platform)
			look_at(&s, path);
	return (struct complaint){no_brackets(a, s.found ? s.found : wanted), COMPLAINT_MISSING};
}

/* Reading ----------------------------------------------------------------------------------------
 */

struct list {
	const struct complaint_case *c;
	struct arena *a;
	struct complaint *out;
	size_t n;
};

static void add(struct list *l, const char *s, size_t n, enum complaint_problem problem)
{
	if (!n || n > 200 || l->n == COMPLAINTS_MAX)
		return;
	struct complaint found = resolve(l->c, l->a, own_path(l->a, s, n), problem);
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->out[i].path, found.path) == 0)
			return;
	l->out[l->n++] = found;
}

/* "[["user_data","fbc"]]" or "["data[0].user_data.fbc"]": each list of names is a path. */
static void add_blamed(struct list *l, const struct jv *specs)
{
	for (const struct jv *s = specs ? specs->child : NULL; s; s = s->next) {
		const char *path = jv_text_of(s);
		for (const struct jv *part = s->type == JV_ARRAY ? s->child : NULL; part;
			part = part->next) {
			const char *text = jv_text_of(part);
			if (text)
				path = path ? arena_fmt(l->a, "%s.%s", path, text) : text;
		}
		if (path)
			add(l, path, strlen(path), COMPLAINT_VALUE);
	}
}

/* Meta's error_data, an object or the same as a text. */
static void read_blame(struct list *l)
{
	const struct jv *root = NULL, *inner = NULL;
	if (!l->c->response ||
		jv_parse(l->a, l->c->response, l->c->nresponse, &root, NULL) != JV_FINE)
		return;
	const struct jv *error = jv_object(root, "error");
	const struct jv *data = jv_object(error, "error_data");
	const char *text = jv_str(error, "error_data");
	if (!data && text && jv_parse(l->a, text, strlen(text), &inner, NULL) == JV_FINE)
		data = inner;
	add_blamed(l, jv_array(data, "blame_field_specs"));
}

static bool code_fits(const struct row *r, const char *code)
{
	char *end;
	if (!r->code)
		return true;
	long have = strtol(code, &end, 10);
	long sub = *end == '/' ? strtol(end + 1, NULL, 10) : 0;
	return have == r->code && (!r->subcode || sub == r->subcode);
}

/* "'a', 'b' were unexpected": the further names of a list. */
static void add_more(struct list *l, const struct row *r, const char *p)
{
	while (strncmp(p, "', '", 4) == 0) {
		p += 4;
		size_t n = strcspn(p, "'");
		add(l, p, n, r->problem);
		p += n;
	}
}

static bool read_row(struct list *l, const struct row *r, const char *code, const char *message)
{
	const char *at = strstr(message, r->before);
	if (r->platform != l->c->platform || !at || !code_fits(r, code))
		return false;
	if (*r->path) {
		add(l, r->path, strlen(r->path), r->problem);
		return true;
	}
	at += strlen(r->before);
	const char *end = strstr(at, r->after);
	if (!end || end == at || memchr(at, '\n', (size_t)(end - at)))
		return false;
	add(l, at, (size_t)(end - at), r->problem);
	add_more(l, r, end);
	return true;
}

/* Words that read like a path of this platform: "user_data.em has wrong format". */
static void read_words(struct list *l, const char *message)
{
	static const char parts[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.[]";
	enum platform_id platform;
	const char *path, *source;
	for (const char *p = message; *p;) {
		size_t n = strspn(p, parts), k = n;
		while (k && p[k - 1] == '.')
			k--;
		const char *word = own_path(l->a, p, k);
		for (size_t i = 0;
			strchr(word, '.') && provenance_row(i, &platform, &path, &source); i++)
			if (platform == l->c->platform && same_but_index(word, path))
				add(l, p, k, COMPLAINT_VALUE);
		p += n + (n == 0);
	}
}

size_t complaint_of(
	const struct complaint_case *c, struct arena *a, struct complaint out[COMPLAINTS_MAX])
{
	struct list l = {.c = c, .a = a, .out = out};
	const char *code = c->code ? c->code : "", *message = c->message ? c->message : "";
	if (c->platform == PLATFORM_META)
		read_blame(&l);
	for (size_t i = 0; !l.n && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (read_row(&l, &rows[i], code, message))
			break;
	if (!l.n)
		read_words(&l, message);
	return l.n;
}
