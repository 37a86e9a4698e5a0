#include "src/json_cut.h"

#include "src/buf.h"

#include <string.h>

/* Place behind the string that begins at p[i] == '"'; n when it never ends. */
static size_t skip_string(const char *p, size_t n, size_t i)
{
	for (i++; i < n; i++) {
		if (p[i] == '\\')
			i++;
		else if (p[i] == '"')
			return i + 1;
	}
	return n;
}

static size_t skip_blank(const char *p, size_t n, size_t i)
{
	while (i < n && strchr(" \t\r\n", p[i]))
		i++;
	return i;
}

/* Place behind the value that begins at p[i]: a string, something bracketed, or a bare word. */
static size_t skip_value(const char *p, size_t n, size_t i)
{
	size_t depth = 0;
	for (; i < n; i++) {
		if (p[i] == '"') {
			i = skip_string(p, n, i) - 1;
			if (depth == 0)
				return i + 1;
		} else if (p[i] == '{' || p[i] == '[') {
			depth++;
		} else if (p[i] == '}' || p[i] == ']') {
			if (depth == 0)
				return i;
			if (--depth == 0)
				return i + 1;
		} else if (depth == 0 && p[i] == ',') {
			return i;
		}
	}
	return n;
}

/* Place of the first element of the object's array member `name`, 0 when there is none. */
static size_t find_array(const char *p, size_t n, const char *name)
{
	size_t len = strlen(name), i = skip_blank(p, n, 0);
	if (i >= n || p[i] != '{')
		return 0;
	for (i = skip_blank(p, n, i + 1); i < n && p[i] == '"';) {
		size_t key = i + 1, end = skip_string(p, n, i);
		bool ours = end - key == len + 1 && memcmp(p + key, name, len) == 0;
		i = skip_blank(p, n, end);
		if (i >= n || p[i] != ':')
			return 0;
		i = skip_blank(p, n, i + 1);
		if (ours)
			return i < n && p[i] == '[' ? i + 1 : 0;
		i = skip_blank(p, n, skip_value(p, n, i));
		if (i < n && p[i] == ',')
			i = skip_blank(p, n, i + 1);
	}
	return 0;
}

bool json_cut(struct buf *b, const char *p, size_t n, const char *name, size_t index)
{
	size_t first = find_array(p, n, name), from = 0, to = 0, i;
	if (!first)
		return false;
	i = skip_blank(p, n, first);
	for (size_t k = 0; i < n && p[i] != ']'; k++) {
		size_t end = skip_value(p, n, i);
		if (k == index) {
			from = i;
			to = end;
		}
		i = skip_blank(p, n, end);
		if (i < n && p[i] == ',')
			i = skip_blank(p, n, i + 1);
		else if (i < n && p[i] != ']')
			return false;
	}
	if (!to || i >= n)
		return false;
	buf_add(b, p, first);
	buf_add(b, p + from, to - from);
	buf_add(b, p + i, n - i);
	return true;
}
