#include "src/csv.h"

#include "src/arena.h"

#include <string.h>

void csv_open(struct csv *c, const char *text, size_t len)
{
	bool mark = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
	*c = (struct csv){.at = mark ? text + 3 : text, .end = text + len, .next = 1};
}

static enum ta_rc bad(const struct csv *c, const char *what, struct ta_err *err)
{
	return ta_fail(err, TA_INVALID, "line %zu: %s", c->line, what);
}

/* Behind a cell there is a comma, a line's end or nothing. */
static bool ends(const struct csv *c)
{
	return c->at == c->end || *c->at == ',' || *c->at == '\n' ||
	       (*c->at == '\r' && (c->at + 1 == c->end || c->at[1] == '\n'));
}

static enum ta_rc quoted(struct csv *c, struct arena *a, const char **out, struct ta_err *err)
{
	const char *from = ++c->at;
	size_t n = 0;
	for (; c->at < c->end && (*c->at != '"' || (c->at + 1 < c->end && c->at[1] == '"')); n++) {
		c->next += *c->at == '\n';
		c->at += *c->at == '"' ? 2 : 1;
	}
	if (c->at == c->end)
		return bad(c, "a quoted cell is not closed; end it with \"", err);
	if (memchr(from, 0, (size_t)(c->at - from)))
		return bad(c, "a cell holds a NUL byte", err);
	char *s = arena_alloc(a, n + 1);
	for (size_t i = 0; i < n; i++, from++)
		if ((s[i] = *from) == '"')
			from++;
	c->at++;
	*out = s;
	return ends(c) ? TA_OK : bad(c, "something follows the closing quote of a cell", err);
}

static enum ta_rc plain(struct csv *c, struct arena *a, const char **out, struct ta_err *err)
{
	const char *from = c->at;
	while (!ends(c)) {
		if (*c->at == '"')
			return bad(c, "a quote amid a cell; put the whole cell in quotes", err);
		c->at++;
	}
	if (memchr(from, 0, (size_t)(c->at - from)))
		return bad(c, "a cell holds a NUL byte", err);
	*out = arena_strndup(a, from, (size_t)(c->at - from));
	return TA_OK;
}

static void end_line(struct csv *c)
{
	if (c->at < c->end && *c->at == '\r')
		c->at++;
	if (c->at < c->end && *c->at == '\n')
		c->at++;
	c->next++;
}

enum ta_rc csv_next(
	struct csv *c, struct arena *a, const char **cells, size_t *n, struct ta_err *err)
{
	*n = 0;
	while (c->at < c->end && (*c->at == '\n' || *c->at == '\r') && ends(c))
		end_line(c);
	c->line = c->next;
	if (c->at == c->end)
		return TA_OK;
	for (;;) {
		if (*n == CSV_MAX_CELLS)
			return bad(c, "more cells than any table here has", err);
		const char **cell = &cells[(*n)++];
		enum ta_rc rc = c->at < c->end && *c->at == '"' ? quoted(c, a, cell, err)
								: plain(c, a, cell, err);
		if (rc)
			return rc;
		if (c->at == c->end || *c->at != ',')
			break;
		c->at++;
	}
	end_line(c);
	return TA_OK;
}
