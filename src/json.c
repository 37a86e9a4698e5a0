#include "src/json.h"

#include "src/arena.h"
#include "src/buf.h"
#include "src/jsonw.h"
#include "src/utf8.h"

#include <string.h>

struct parser {
	struct arena *a;
	char *p, *end;   /* our copy of the text; *end is NUL */
	struct jv *pool; /* values handed out in chunks */
	size_t pool_left;
	enum jv_status status;
};

static struct jv *fail(struct parser *ps, enum jv_status why)
{
	ps->status = why;
	return NULL;
}

static struct jv *new_value(struct parser *ps, enum jv_type type)
{
	if (ps->pool_left == 0) {
		ps->pool_left = 64;
		ps->pool = arena_alloc(ps->a, ps->pool_left * sizeof(*ps->pool));
	}
	ps->pool_left--;
	struct jv *v = ps->pool++;
	v->type = type;
	return v;
}

static void skip_space(struct parser *ps)
{
	while (*ps->p == ' ' || *ps->p == '\n' || *ps->p == '\r' || *ps->p == '\t')
		ps->p++;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits at p, or -1. The NUL behind the text stops it. */
static int32_t hex4(const char *p)
{
	int32_t v = 0;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(p[i]);
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* Decodes the escape behind a backslash at p[0] into *to. Returns the bytes read, 0 if wrong.
 * The result is never longer than the escape, so that decoding in place is safe. */
static size_t unescape(const char *p, char **to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *at = *p ? strchr(from, *p) : NULL;
	if (at) {
		*(*to)++ = into[at - from];
		return 1;
	}
	int32_t v = *p == 'u' ? hex4(p + 1) : -1;
	if (v < 0)
		return 0;
	uint32_t cp = (uint32_t)v;
	size_t used = 5;
	if (cp >= 0xd800 && cp <= 0xdbff && p[5] == '\\' && p[6] == 'u') {
		int32_t low = hex4(p + 7);
		if (low >= 0xdc00 && low <= 0xdfff) {
			cp = 0x10000 + ((cp - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
			used = 11;
		}
	}
	*to += utf8_encode(cp ? cp : UTF8_REPLACEMENT, *to);
	return used;
}

/* Reads the string whose opening quote is at ps->p. */
static bool read_string(struct parser *ps, const char **s, uint32_t *len)
{
	char *from = ++ps->p, *to = from;
	for (;;) {
		unsigned char c = (unsigned char)*ps->p;
		if (c == '"')
			break;
		if (c < 0x20)
			return false;
		if (c == '\\') {
			size_t n = unescape(ps->p + 1, &to);
			if (n == 0)
				return false;
			ps->p += n + 1;
		} else if (c < 0x80) {
			*to++ = *ps->p++;
		} else {
			uint32_t cp;
			size_t n = utf8_decode(ps->p, (size_t)(ps->end - ps->p), &cp);
			if (n == 0)
				return false;
			memmove(to, ps->p, n);
			to += n;
			ps->p += n;
		}
	}
	ps->p++;
	*to = '\0';
	*s = from;
	*len = (uint32_t)(to - from);
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *p)
{
	while (is_digit(*p))
		p++;
	return p;
}

/* End of the number that starts at p, NULL if it is none. */
static const char *number_end(const char *p)
{
	p += *p == '-';
	if (!is_digit(*p))
		return NULL;
	p = *p == '0' ? p + 1 : skip_digits(p);
	if (*p == '.') {
		if (!is_digit(*++p))
			return NULL;
		p = skip_digits(p);
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		if (!is_digit(*p))
			return NULL;
		p = skip_digits(p);
	}
	return p;
}

static struct jv *read_number(struct parser *ps)
{
	const char *end = number_end(ps->p);
	if (!end)
		return fail(ps, JV_INVALID);
	struct jv *v = new_value(ps, JV_NUMBER);
	v->len = (uint32_t)(end - ps->p);
	v->s = arena_strndup(ps->a, ps->p, v->len);
	ps->p += v->len;
	return v;
}

static struct jv *read_word(struct parser *ps)
{
	static const struct {
		const char *word;
		size_t len;
		enum jv_type type;
		bool b;
	} words[] = {{"null", 4, JV_NULL, false}, {"true", 4, JV_BOOL, true},
		{"false", 5, JV_BOOL, false}};
	for (size_t i = 0; i < TA_COUNT(words); i++)
		if (strncmp(ps->p, words[i].word, words[i].len) == 0) {
			struct jv *v = new_value(ps, words[i].type);
			v->b = words[i].b;
			ps->p += words[i].len;
			return v;
		}
	return fail(ps, JV_INVALID);
}

static struct jv *read_value(struct parser *ps, int depth);

/* Reads `"name" :` in front of a member. */
static bool read_name(struct parser *ps, const char **key, uint32_t *len)
{
	if (*ps->p != '"' || !read_string(ps, key, len))
		return false;
	skip_space(ps);
	if (*ps->p != ':')
		return false;
	ps->p++;
	skip_space(ps);
	return true;
}

static struct jv *read_container(struct parser *ps, int depth)
{
	bool object = *ps->p == '{';
	char close = object ? '}' : ']';
	if (depth >= JV_MAX_DEPTH)
		return fail(ps, JV_TOO_DEEP);
	struct jv *v = new_value(ps, object ? JV_OBJECT : JV_ARRAY);
	const struct jv **tail = &v->child;
	ps->p++;
	skip_space(ps);
	if (*ps->p == close) {
		ps->p++;
		return v;
	}
	for (;;) {
		const char *key = NULL;
		uint32_t key_len = 0;
		if (object && !read_name(ps, &key, &key_len))
			return fail(ps, JV_INVALID);
		struct jv *m = read_value(ps, depth + 1);
		if (!m)
			return NULL;
		m->key = key;
		m->key_len = key_len;
		*tail = m;
		tail = &m->next;
		skip_space(ps);
		char c = *ps->p++;
		if (c == close)
			return v;
		if (c != ',') {
			ps->p--;
			return fail(ps, JV_INVALID);
		}
		skip_space(ps);
	}
}

/* The recursion is bounded by JV_MAX_DEPTH. */
static struct jv *read_value(struct parser *ps, int depth)
{
	struct jv *v;
	switch (*ps->p) {
	case '{':
	case '[':
		return read_container(ps, depth);
	case '"':
		v = new_value(ps, JV_STRING);
		return read_string(ps, &v->s, &v->len) ? v : fail(ps, JV_INVALID);
	case 'n':
	case 't':
	case 'f':
		return read_word(ps);
	default:
		return read_number(ps);
	}
}

enum jv_status jv_parse(
	struct arena *a, const char *p, size_t len, const struct jv **out, size_t *at)
{
	struct parser ps = {.a = a, .p = arena_strndup(a, p, len)};
	char *start = ps.p;
	ps.end = ps.p + len;
	*out = NULL;
	skip_space(&ps);
	const struct jv *v = read_value(&ps, 0);
	if (v) {
		skip_space(&ps);
		if (ps.p != ps.end)
			v = fail(&ps, JV_INVALID);
	}
	if (at)
		*at = (size_t)(ps.p - start);
	*out = v;
	return v ? JV_FINE : ps.status;
}

const struct jv *jv_get(const struct jv *object, const char *name)
{
	const struct jv *found = NULL;
	size_t n = strlen(name);
	if (!object || object->type != JV_OBJECT)
		return NULL;
	for (const struct jv *m = object->child; m; m = m->next)
		if (m->key_len == n && memcmp(m->key, name, n) == 0)
			found = m;
	return found && found->type != JV_NULL ? found : NULL;
}

static const struct jv *typed(const struct jv *v, enum jv_type type)
{
	return v && v->type == type ? v : NULL;
}

const struct jv *jv_object(const struct jv *object, const char *name)
{
	return typed(jv_get(object, name), JV_OBJECT);
}

const struct jv *jv_array(const struct jv *object, const char *name)
{
	return typed(jv_get(object, name), JV_ARRAY);
}

size_t jv_count(const struct jv *v)
{
	size_t n = 0;
	for (const struct jv *m = v ? v->child : NULL; m; m = m->next)
		n++;
	return n;
}

const char *jv_str(const struct jv *object, const char *name)
{
	const struct jv *v = typed(jv_get(object, name), JV_STRING);
	return v ? jv_text_of(v) : NULL;
}

const char *jv_text(const struct jv *object, const char *name)
{
	return jv_text_of(jv_get(object, name));
}

const char *jv_text_of(const struct jv *v)
{
	if (!v || (v->type != JV_STRING && v->type != JV_NUMBER))
		return NULL;
	return v->s[strspn(v->s, " \t\r\n")] ? v->s : NULL;
}

bool jv_bool(const struct jv *object, const char *name)
{
	const struct jv *v = jv_get(object, name);
	return v && v->type == JV_BOOL && v->b;
}

bool jv_int_of(const struct jv *v, int64_t *out)
{
	const char *p = jv_text_of(v);
	if (!p)
		return false;
	bool negative = *p == '-';
	int64_t n = 0;
	p += negative;
	if (!is_digit(*p))
		return false;
	for (; is_digit(*p); p++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, *p - '0', &n))
			return false;
	if (*p == '.') {
		p++;
		p += strspn(p, "0");
	}
	if (*p || (!negative && __builtin_sub_overflow((int64_t)0, n, &n)))
		return false;
	*out = n;
	return true;
}

bool jv_int(const struct jv *object, const char *name, int64_t *out)
{
	return jv_int_of(jv_get(object, name), out);
}

static void write_value(struct jsonw *w, const struct jv *v)
{
	switch (v->type) {
	case JV_NULL:
		jsonw_raw(w, v->key, "null");
		break;
	case JV_BOOL:
		jsonw_bool(w, v->key, v->b);
		break;
	case JV_NUMBER:
		jsonw_raw(w, v->key, v->s);
		break;
	case JV_STRING:
		jsonw_str(w, v->key, v->s);
		break;
	case JV_ARRAY:
	case JV_OBJECT:
		jsonw_open(w, v->key, v->type == JV_ARRAY ? '[' : '{');
		for (const struct jv *m = v->child; m; m = m->next)
			write_value(w, m);
		jsonw_close(w, v->type == JV_ARRAY ? ']' : '}');
		break;
	}
}

void jv_write(struct buf *b, const struct jv *v)
{
	struct jv top = *v;
	struct jsonw w = JSONW_INIT(b);
	top.key = NULL;
	write_value(&w, &top);
}
