#include "src/buf.h"
#include "src/json.h"
#include "ui/inspect.h"

#include <stdio.h>
#include <string.h>

#define DEEP 24

/* Names under which documents and requests carry what identifies a person. */
static const char *const personal[] = {"email", "phone", "first_name", "last_name", "birthdate",
	"ip", "zip", "client_ip_address", "address1", "address2", "client_user_agent",
	"user_agent"};

static bool is_personal(const char *name)
{
	for (size_t i = 0; name && i < TA_COUNT(personal); i++)
		if (strcmp(name, personal[i]) == 0)
			return true;
	return false;
}

static bool is_hash(const struct jv *v)
{
	return v->len == 64 && strspn(v->s, "0123456789abcdef") == 64;
}

/* The first character and how long it is: enough to see that something is there. */
static void add_masked(struct buf *b, const struct jv *v)
{
	const char *at = strchr(v->s, '@');
	buf_addc(b, '"');
	buf_add(b, v->s, v->len ? 1 : 0);
	buf_adds(b, "***");
	if (at)
		buf_adds(b, "@***");
	buf_addf(b, "\"   masked, %u bytes", v->len);
}

static void add_value(struct buf *b, const struct jv *v, bool secret)
{
	switch (v->type) {
	case JV_NULL:
		buf_adds(b, "null");
		break;
	case JV_BOOL:
		buf_adds(b, v->b ? "true" : "false");
		break;
	case JV_NUMBER:
		buf_adds(b, v->s);
		break;
	case JV_STRING:
		if (secret && !is_hash(v) && v->len) {
			add_masked(b, v);
			break;
		}
		buf_addc(b, '"');
		buf_add(b, v->s, v->len);
		buf_adds(b, is_hash(v) ? "\"   SHA-256" : "\"");
		break;
	case JV_ARRAY:
	case JV_OBJECT:
		buf_addf(b, "%s %zu", v->type == JV_ARRAY ? "[]" : "{}", jv_count(v));
		break;
	}
}

/* Whether any name on the way to the value is personal. */
static bool is_personal_path(const char *path)
{
	while (*path) {
		char name[64];
		size_t n = strcspn(path, ".[");
		snprintf(name, sizeof(name), "%.*s", (int)TA_MIN(n, sizeof(name) - 1), path);
		if (is_personal(name))
			return true;
		path += n;
		if (*path == '[')
			path += strcspn(path, "]");
		path += *path != '\0';
	}
	return false;
}

const char *inspect_value(struct arena *a, const char *path, const char *json)
{
	const struct jv *v = NULL;
	struct buf b = BUF_INIT(1 << 20);
	if (jv_parse(a, json, strlen(json), &v, NULL) == JV_FINE)
		add_value(&b, v, is_personal_path(path));
	const char *remark = strstr(buf_str(&b), "\"   ");
	if (remark) /* what it is, is said beside it */
		b.len = (size_t)(remark - buf_str(&b)) + 1;
	const char *s = arena_strndup(a, buf_str(&b), b.len);
	buf_release(&b);
	return s;
}

struct walk {
	struct textview *t;
	struct arena *a;
	struct buf line;
};

static void walk(struct walk *w, const struct jv *v, int depth, bool secret)
{
	int i = 0;
	for (const struct jv *c = v->child; c; c = c->next, i++) {
		bool hide = secret || is_personal(c->key);
		buf_clear(&w->line);
		for (int k = 0; k < depth; k++)
			buf_adds(&w->line, "  ");
		if (c->key)
			buf_addf(&w->line, "%s: ", c->key);
		else
			buf_addf(&w->line, "%d: ", i);
		add_value(&w->line, c, hide);
		bool inner = c->type == JV_ARRAY || c->type == JV_OBJECT;
		textview_add(w->t, inner ? ST_STRONG : ST_TEXT, "",
			arena_strndup(w->a, buf_str(&w->line), w->line.len));
		if (inner && depth < DEEP)
			walk(w, c, depth + 1, hide);
	}
}

bool inspect_json(struct textview *t, struct arena *a, const char *json, size_t len)
{
	const struct jv *v = NULL;
	if (!json || jv_parse(a, json, len, &v, NULL) != JV_FINE)
		return false;
	struct walk w = {.t = t, .a = a, .line = BUF_INIT(1 << 16)};
	if (v->child) {
		walk(&w, v, 0, false);
	} else {
		add_value(&w.line, v, false);
		textview_add(t, ST_TEXT, "", arena_strdup(a, buf_str(&w.line)));
	}
	buf_release(&w.line);
	return true;
}
