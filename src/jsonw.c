#include "src/jsonw.h"

#include "src/buf.h"
#include "src/utf8.h"

#include <string.h>

static void add_escape(struct buf *b, char c)
{
	static const char digits[] = "0123456789abcdef";
	static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
	const char *at = c ? strchr(from, c) : NULL;
	buf_addc(b, '\\');
	if (at) {
		buf_addc(b, to[at - from]);
		return;
	}
	buf_add(b, "u00", 3);
	buf_addc(b, digits[(c >> 4) & 15]);
	buf_addc(b, digits[c & 15]);
}

static bool is_plain(char c)
{
	unsigned char u = (unsigned char)c;
	return u >= 0x20 && u < 0x80 && u != '"' && u != '\\';
}

void json_quote(struct buf *b, const char *s, size_t n)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < n;) {
		size_t from = i;
		while (i < n && is_plain(s[i]))
			i++;
		buf_add(b, s + from, i - from);
		if (i == n)
			break;
		uint32_t cp;
		size_t len = utf8_decode(s + i, n - i, &cp);
		if (len == 0)
			buf_add(b, "\xef\xbf\xbd", 3);
		else if (len == 1)
			add_escape(b, s[i]);
		else
			buf_add(b, s + i, len);
		i += len ? len : 1;
	}
	buf_addc(b, '"');
}

static void lead(struct jsonw *w, const char *name)
{
	if (w->comma)
		buf_addc(w->b, ',');
	w->comma = true;
	if (!name)
		return;
	json_quote(w->b, name, strlen(name));
	buf_addc(w->b, ':');
}

void jsonw_open(struct jsonw *w, const char *name, char bracket)
{
	lead(w, name);
	buf_addc(w->b, bracket);
	w->comma = false;
}

void jsonw_close(struct jsonw *w, char bracket)
{
	buf_addc(w->b, bracket);
	w->comma = true;
}

void jsonw_str(struct jsonw *w, const char *name, const char *s)
{
	if (!s)
		return;
	lead(w, name);
	json_quote(w->b, s, strlen(s));
}

void jsonw_int(struct jsonw *w, const char *name, int64_t v)
{
	lead(w, name);
	buf_addi(w->b, v);
}

void jsonw_bool(struct jsonw *w, const char *name, bool v)
{
	lead(w, name);
	buf_adds(w->b, v ? "true" : "false");
}

void jsonw_raw(struct jsonw *w, const char *name, const char *json)
{
	if (!json)
		return;
	lead(w, name);
	buf_adds(w->b, json);
}

void jsonw_money(struct jsonw *w, const char *name, struct money m)
{
	lead(w, name);
	buf_addc(w->b, '"');
	money_format(w->b, m);
	buf_addc(w->b, '"');
}

void jsonw_money_number(struct jsonw *w, const char *name, struct money m)
{
	lead(w, name);
	money_format(w->b, m);
}
